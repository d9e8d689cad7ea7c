"""What the training of a classifier is expected to take, in time and in memory."""
from __future__ import annotations

from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.runs.memory import Needs, needs, sentence
from experiments.runs.speed import TEST, evaluations, seconds_per_image, seconds_per_step
from experiments.system.device import placed
from experiments.system.durations import Parts
from experiments.system.free_memory import resident_bytes
from experiments.system.machine import Machine

POOLED = 32  # of which every side is a multiple: five poolings halve it


def of_classifier(configuration: ClassifierConfiguration, device: str, images: int, done: int = 0, ranks: int = 1
                  ) -> Parts:
    """Training from step `done` on, by so many ranks, and evaluations. images: of both splits."""
    network, channels = placed(build(configuration), device), configuration.channels
    total, image = configuration.total_steps, seconds_per_image(network, configuration.side, channels)
    looks = evaluations(total, done, configuration.evaluate_every)
    return {"training": (total - done) * seconds_per_step(network, configuration, channels, ranks),
            "evaluating": (looks * TEST + 1) * images * image}


def memory_of_classifier(configuration: ClassifierConfiguration, machine: Machine, images: int = 0) -> str:
    """A sentence: what a training takes at its peak, and whether it is there. images: those of which a heat map is in
    memory, a byte a pixel."""
    resident = resident_bytes()  # before anything is measured, which stays with the process

    def build_small(other: ClassifierConfiguration) -> Needs:
        return needs(build, other, POOLED, configuration.channels)

    def in_all(own: Needs, batch: int) -> int:
        if machine.device != "cpu":
            return own.peak(batch, configuration.side, saving=False)
        part = -(-batch // machine.size)
        return machine.size * (resident + own.peak(part, configuration.side)) + images * configuration.side**2

    return sentence(in_all, build_small, configuration, machine.device)
