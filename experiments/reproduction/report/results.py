"""reproduce.json: the numbers of all stages."""
from __future__ import annotations

from dataclasses import dataclass

from experiments.evaluation import thesis
from experiments.evaluation.recovery import Audit
from experiments.evaluation.results import ClassifierResults, RoiResults
from experiments.inputs.loading import DataRecord
from experiments.reproduction.report.losses import LossCourse, loss_courses
from experiments.reproduction.report.material import Classifiers, Material
from experiments.reproduction.report.roi import BestOverlap, best_overlap
from experiments.reproduction.report.settings import PRINTED
from experiments.reproduction.statistics import SeedStatistics

NAME = "reproduce.json"


@dataclass(frozen=True, slots=True)
class PrintedNumbers:
    """The thesis's hyper-parameters, by number of the table and row, and its images, by split, in the order of the
    classes."""
    hyper_parameters: dict[str, dict[str, str]]
    images: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class ClassifierNumbers:
    """end2end, decomposition    by the run's folder, one for each training seed
    retraining                of the first
    loss                      of the first seed's runs and of the retraining, by name
    """
    end2end: dict[str, ClassifierResults]
    decomposition: dict[str, ClassifierResults]
    retraining: ClassifierResults
    loss: dict[str, LossCourse]
    statistics: SeedStatistics


@dataclass(frozen=True, slots=True)
class ReproductionResults:
    """missing_classes     those without images
    overlap_accuracy    by detector
    classifiers         None where a class is missing
    """
    data: DataRecord
    missing_classes: list[str]
    thesis: PrintedNumbers
    roi_detection: RoiResults
    overlap_accuracy: dict[str, BestOverlap]
    audit: Audit
    classifiers: ClassifierNumbers | None


def reproduction_results(material: Material) -> ReproductionResults:
    return ReproductionResults(
        material.data, list(material.missing),
        PrintedNumbers(PRINTED, {split: images.tolist() for split, images in thesis.IMAGES.items()}),
        material.detectors.results, best_overlap(material.detectors), material.audit,
        None if material.classifiers is None else _numbers(material.classifiers))


def _numbers(runs: Classifiers) -> ClassifierNumbers:
    return ClassifierNumbers(
        {run.path.name: run.results for run in runs.end2end},
        {run.path.name: run.results for run in runs.decomposition},
        runs.retraining.results, loss_courses(runs), runs.statistics)
