"""From outputs to a decision: the threshold from which on a case is called cancer, and what it is worth elsewhere.

The threshold is chosen on validation patients, whose images the network did not learn from, and then held fixed. Chosen
on the training images it would be too high, since the network is surer of them than of others; chosen on the images
that it is judged by, it would be right for these alone.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation.intervals import Interval, proportion
from experiments.evaluation.per_class import none_if_nan
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import Unit
from experiments.system.errors import Failure

CANCER = CLASSES[0]  # the class that is to be found
SENSITIVITY = 0.9


@dataclass(frozen=True, slots=True)
class Realised:
    """At an operating point, of units: with cancer (positives), of which `found` are called so; without (negatives), of
    which `alarms` are. sensitivity (3.45), specificity (3.44): None without units of the kind; their 95 % intervals
    by patient."""
    positives: int
    found: int
    negatives: int
    alarms: int
    sensitivity: float | None
    sensitivity_ci: Interval | None
    specificity: float | None
    specificity_ci: Interval | None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A unit is called cancer where its output for cancer is at least the threshold.

    wanted     the sensitivity that it was chosen for
    chosen_on  what it reaches on the validation units, whose patients' number is `patients`
    """
    threshold: float
    wanted: float
    unit: Unit
    chosen_on: Realised
    patients: int


def operating_point(validation: ImagePredictions, sensitivity: float = SENSITIVITY) -> OperatingPoint:
    """The largest threshold at which at least that share of the validation units with cancer is found.

    Raises Failure where none of them has cancer, and ValueError for a sensitivity that is not above 0 and at most 1.
    """
    if not 0 < sensitivity <= 1:
        raise ValueError(f"sensitivity {sensitivity}: expected a number above 0, at most 1")
    scores, positive = of_cancer(validation)
    cases = np.sort(scores[positive])[::-1]
    if not len(cases):
        raise Failure(f"no operating point can be chosen: none of the {len(validation)} validation "
                      f"{validation.unit.plural} has cancer")
    threshold = float(cases[math.ceil(sensitivity * len(cases) - 1e-9) - 1])
    return OperatingPoint(threshold, sensitivity, validation.unit, _realised(threshold, validation),
                          len(np.unique(validation.patients)))


def realised(point: OperatingPoint, predictions: ImagePredictions) -> Realised:
    """What it gives on other units. Raises ValueError where they are not of the kind that it was chosen on."""
    if point.unit != predictions.unit:
        raise ValueError(f"the operating point is of {point.unit.described}, the predictions are of "
                         f"{predictions.unit.described}")
    return _realised(point.threshold, predictions)


def of_cancer(predictions: ImagePredictions) -> tuple[np.ndarray, np.ndarray]:
    """(n,) float64 outputs for cancer, and (n,) bool, whether it is one."""
    place = predictions.classes.index(CANCER)
    return predictions.probabilities[:, place].astype(np.float64), predictions.labels == place


def _realised(threshold: float, predictions: ImagePredictions) -> Realised:
    scores, positive = of_cancer(predictions)
    called = scores >= threshold
    names, owner = np.unique(predictions.patients, return_inverse=True)
    found, spared = (proportion(right[of], owner[of], len(names)) for right, of in (
        (called, positive), (~called, ~positive)))
    return Realised(int(positive.sum()), int((called & positive).sum()), int((~positive).sum()),
                    int((called & ~positive).sum()), none_if_nan(found.value), found.interval,
                    none_if_nan(spared.value), spared.interval)
