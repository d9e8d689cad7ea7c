"""results.json of a run."""
from __future__ import annotations

from dataclasses import dataclass

from experiments.evaluation.classification import Evaluation
from experiments.evaluation.confounders import Confounders
from experiments.evaluation.segmentation import DetectorResults
from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GroupsRecord

NAME = "results.json"


@dataclass(frozen=True, slots=True)
class ClassifierResults:
    """Of a classifier. confounders: of real data; None of drawn ones."""
    test: Evaluation
    train: Evaluation
    data: DataRecord
    seed: int
    confounders: Confounders | None = None

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
