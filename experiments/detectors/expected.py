"""What the training of ROI detectors, and detecting with them, is expected to take, in time and in memory."""
from __future__ import annotations

from collections.abc import Sequence

from experiments.configuration.detector import DetectorConfiguration
from experiments.datasets.mammogram import Mammogram
from experiments.detectors.network import build
from experiments.detectors.training import TRAIN_SAMPLE
from experiments.inputs.size_groups import GROUPS
from experiments.runs.memory import Needs, needs, sentence
from experiments.runs.speed import TEST, evaluations, seconds_per_image, seconds_per_step
from experiments.system.device import placed
from experiments.system.durations import Parts
from experiments.system.free_memory import resident_bytes
from experiments.system.machine import Machine


def of_detectors(configuration: DetectorConfiguration, device: str, mammograms: Sequence[Mammogram], trainings: int,
                 done: int = 0, ranks: int = 1) -> Parts:
    """So many trainings, which have `done` steps behind them in all, by so many ranks, and their evaluations.

    Trainings side by side share the processors, so that they take as long as one after the other.
    """
    network = placed(build(configuration), device)
    image = seconds_per_image(network, configuration.side)
    total = configuration.total_steps
    lesions = sum(each.label != "normal" for each in mammograms)  # at most so many have an annotation
    of_group = lesions / len(GROUPS)
    looks = evaluations(total, done // max(1, trainings), configuration.evaluate_every)
    evaluated = looks * (min(TRAIN_SAMPLE, (1 - TEST) * of_group) + TEST * of_group) + of_group + lesions + (
        TEST * len(mammograms))
    return {"training": (trainings * total - done) * seconds_per_step(network, configuration, ranks=ranks),
            "evaluating": trainings * evaluated * image}


def of_detecting(configuration: DetectorConfiguration, device: str, images: int) -> Parts:
    """The heat maps (4.2) of so many images, by five detectors."""
    network = placed(build(configuration), device)
    return {"detecting": len(GROUPS) * images * seconds_per_image(network, configuration.side)}


def memory_of_detectors(configuration: DetectorConfiguration, machine: Machine, trainings: int) -> str:
    """A sentence: what so many trainings, some of them side by side, take at their peak, and whether it is there."""
    resident = resident_bytes()  # before anything is measured, which stays with the process

    def build_small(other: DetectorConfiguration) -> Needs:
        return needs(build, other, 2**configuration.depth)

    def in_all(own: Needs, batch: int) -> int:
        if machine.device != "cpu":
            return own.peak(batch, configuration.side, saving=False)
        if machine.size > 1:
            return machine.size * (resident + own.peak(-(-batch // machine.size), configuration.side))
        beside = min(machine.workers, trainings)  # processes, and this one that waits for them
        return resident + beside * (resident + own.peak(batch, configuration.side))

    return sentence(in_all, build_small, configuration, machine.device)
