"""config.json and results.json of an evaluation."""
from __future__ import annotations

from dataclasses import dataclass

from experiments.datasets.choices import Choices
from experiments.evaluation.by_size import Overlap
from experiments.evaluation.cancer import CancerMeasures
from experiments.evaluation.classification import Evaluation
from experiments.evaluation.froc import Froc
from experiments.evaluation.operating_point import OperatingPoint
from experiments.evaluation.segmentation import DetectorResults
from experiments.evaluation.unit import Unit
from experiments.evaluation.unpaired import UnpairedDifference
from experiments.inputs.loading import DataRecord
from experiments.runs.log import Measures

EXPERIMENT = "evaluate"


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """config.json of an evaluation; it is written last, so that a folder that has one is whole.

    run             the folder of the run; of_experiment: the command that trained it
    checkpoints     name of the file in it -> its SHA-256
    own             the run's own data; data: the other set, all of it as test images; place: its folder
    choices         of the other set; unit: what the figures count
    command, device, started, versions    as of a run; took: seconds by part
    """
    experiment: str
    run: str
    of_experiment: str
    checkpoints: dict[str, str]
    own: DataRecord
    data: DataRecord
    place: str
    choices: Choices
    unit: Unit
    command: str
    device: str
    started: str
    versions: dict[str, str]
    took: dict[str, float]


@dataclass(frozen=True, slots=True)
class TransferredClassifier:
    """own, other     everything measured on the run's test set and on the other set
    cancer         the same two, of cancer against the others
    differences    other - own: "accuracy", "auroc" and "plain accuracy" ... -> class, or "mean" -> difference
    operating_point    that of the run's validation images; None where it held out none
    """
    own: Evaluation
    other: Evaluation
    cancer: dict[str, CancerMeasures]
    differences: dict[str, dict[str, UnpairedDifference]]
    operating_point: OperatingPoint | None
    data: DataRecord


@dataclass(frozen=True, slots=True)
class OtherDetection:
    """Of one detector on the other set.

    group, complete    its measures on the images of its own size group, and on all that have a lesion
    sizes, froc        as of `DetectorResults`
    """
    group: Measures
    complete: Measures
    sizes: dict[str, Overlap]
    froc: Froc


@dataclass(frozen=True, slots=True)
class TransferredDetectors:
    """own, other    of each detector "P0-dice" ... "P4-ss"
    differences   of each detector, other - own: "overlap accuracy" on its own size group, and with all its marks the
                  "share of the lesions found" and the "false marks in an image"
    groups        images of the other set by size group, by the run's bounds (pixels)
    """
    own: dict[str, DetectorResults]
    other: dict[str, OtherDetection]
    differences: dict[str, dict[str, UnpairedDifference]]
    groups: dict[str, int]
    bounds: list[float]
    data: DataRecord
