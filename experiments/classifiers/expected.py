"""What the training of a classifier is expected to take."""
from __future__ import annotations

from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.runs.speed import TEST, evaluations, seconds_per_image, seconds_per_step
from experiments.system.device import array_module
from experiments.system.durations import Parts


def of_classifier(configuration: ClassifierConfiguration, device: str, images: int, channels: int = 1,
                  done: int = 0) -> Parts:
    """Training from step `done` on, and evaluations. images: of both splits."""
    network = build(configuration, channels)
    network.convert(array_module(device).asarray)
    total, image = configuration.total_steps, seconds_per_image(network, configuration.side, device, channels)
    looks = evaluations(total, done, configuration.evaluate_every)
    return {"training": (total - done) * seconds_per_step(network, configuration, device, channels),
            "evaluating": (looks * TEST + 1) * images * image}
