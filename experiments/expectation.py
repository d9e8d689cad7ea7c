"""What a whole run of a command is expected to take: the parts of `duration`, for the numbers of that run."""
from __future__ import annotations

from collections.abc import Sequence

from experiments import classifier, detector
from experiments.configuration import Configuration
from experiments.datasets.record import Mammogram
from experiments.detector_configuration import DetectorConfiguration
from experiments.detector_training import TRAIN_SAMPLE
from experiments.device import array_module
from experiments.duration import (
    TEST,
    Parts,
    evaluations,
    seconds_per_image,
    seconds_per_panel,
    seconds_per_step,
)
from experiments.size_groups import GROUPS

PANELS = 2 + 1 + 12  # of a classifier's report: ROC curves, the loss, samples
ROI_PANELS = 50 + 10 + 60  # of the detectors' report: courses, borders, evolution


def of_classifier(configuration: Configuration, device: str, images: int, channels: int = 1, done: int = 0) -> Parts:
    """Training from step `done` on, evaluations, report. images: of both splits."""
    network = classifier.build(configuration, channels)
    network.convert(array_module(device).asarray)
    total, image = configuration.total_steps, seconds_per_image(network, configuration.side, device, channels)
    looks = evaluations(total, done, configuration.evaluate_every)
    return {"training": (total - done) * seconds_per_step(network, configuration, device, channels),
            "evaluating": (looks * TEST + 1) * images * image,
            "report": PANELS * seconds_per_panel()}


def of_detectors(configuration: DetectorConfiguration, device: str, mammograms: Sequence[Mammogram], trainings: int,
                 done: int = 0) -> Parts:
    """So many trainings, which have `done` steps behind them in all, their evaluations, the report.

    Trainings side by side share the processors, so that they take as long as one after the other.
    """
    network = detector.build(configuration)
    network.convert(array_module(device).asarray)
    image = seconds_per_image(network, configuration.side, device)
    total = configuration.total_steps
    lesions = sum(each.label != "normal" for each in mammograms)  # at most so many have an annotation
    of_group = lesions / len(GROUPS)
    looks = evaluations(total, done // max(1, trainings), configuration.evaluate_every)
    evaluated = looks * (min(TRAIN_SAMPLE, (1 - TEST) * of_group) + TEST * of_group) + of_group + lesions
    return {"training": (trainings * total - done) * seconds_per_step(network, configuration, device),
            "evaluating": trainings * evaluated * image,
            "report": ROI_PANELS * seconds_per_panel() if trainings else 0.0}


def of_detecting(configuration: DetectorConfiguration, device: str, images: int) -> Parts:
    """The heat maps (4.2) of so many images, by five detectors."""
    network = detector.build(configuration)
    network.convert(array_module(device).asarray)
    return {"detecting": len(GROUPS) * images * seconds_per_image(network, configuration.side, device)}
