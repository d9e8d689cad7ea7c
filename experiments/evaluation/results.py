"""results.json of a run."""
from __future__ import annotations

from dataclasses import dataclass

from experiments.evaluation.cancer import CancerMeasures
from experiments.evaluation.classification import Evaluation
from experiments.evaluation.confounders import Confounders
from experiments.evaluation.operating_point import OperatingPoint
from experiments.evaluation.segmentation import DetectorResults
from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GroupsRecord

NAME = "results.json"


@dataclass(frozen=True, slots=True)
class ClassifierResults:
    """Of a classifier. confounders: of real data; None of drawn ones.

    point     the operating point, chosen on the patients who were held out of training; None where none were
    cancer    cancer against the others on the test images; None in a file that was written before it was measured
    """
    test: Evaluation
    train: Evaluation
    data: DataRecord
    seed: int
    confounders: Confounders | None = None
    point: OperatingPoint | None = None
    cancer: CancerMeasures | None = None

    @property
    def splits(self) -> dict[str, Evaluation]:
        """By name, in the order of the report."""
        return {"test": self.test, "train": self.train}


@dataclass(frozen=True, slots=True)
class RoiResults:
    """Of the ten detectors "P0-dice" ... "P4-ss".

    reached        of each detector the step of the first evaluation with overlap accuracy 1 on the group's own test
                   images at a precision of at least one half; None if there was none
    confounders    of real data; None of drawn ones
    """
    detectors: dict[str, DetectorResults]
    reached: dict[str, int | None]
    groups: GroupsRecord
    data: DataRecord
    seed: int
    confounders: Confounders | None = None
