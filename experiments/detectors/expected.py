"""What the training of ROI detectors, and detecting with them, is expected to take."""
from __future__ import annotations

from collections.abc import Sequence

from experiments.configuration.detector import DetectorConfiguration
from experiments.datasets.mammogram import Mammogram
from experiments.detectors.network import build
from experiments.detectors.training import TRAIN_SAMPLE
from experiments.inputs.size_groups import GROUPS
from experiments.runs.speed import TEST, evaluations, seconds_per_image, seconds_per_step
from experiments.system.device import placed
from experiments.system.durations import Parts


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
