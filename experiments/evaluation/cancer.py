"""Cancer against all others on one set of units: what reviewers ask beyond the AUROC."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.evaluation.calibration import Calibration, calibration
from experiments.evaluation.intervals import Interval, area, partial_area
from experiments.evaluation.operating_point import OperatingPoint, Realised, of_cancer, realised
from experiments.evaluation.per_class import none_if_nan
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.subgroups import Subgroup, subgroups
from experiments.evaluation.unit import Unit


@dataclass(frozen=True, slots=True)
class CancerMeasures:
    """unit, units, patients    what is counted, and how many; cancers: units with cancer
    auroc, partial_auroc     the latter up to a false positive rate of 0.1, see `intervals.partial_area`; None where
                             undefined; their 95 % intervals by patient
    realised                 sensitivity and specificity at the operating point; None without one
    calibration              of the output for cancer
    subgroups                fact -> its groups, see `subgroups.subgroups`
    """
    unit: Unit
    units: int
    patients: int
    cancers: int
    auroc: float | None
    auroc_ci: Interval | None
    partial_auroc: float | None
    partial_auroc_ci: Interval | None
    realised: Realised | None
    calibration: Calibration
    subgroups: dict[str, list[Subgroup]]


def cancer_measures(predictions: ImagePredictions, point: OperatingPoint | None = None) -> CancerMeasures:
    """Of at least one unit. Raises ValueError where the point was chosen on units of another kind."""
    scores, positive = of_cancer(predictions)
    names, owner = np.unique(predictions.patients, return_inverse=True)
    whole, part = (of(scores, positive, owner, len(names)) for of in (area, partial_area))
    return CancerMeasures(
        predictions.unit, len(predictions), len(names), int(positive.sum()), none_if_nan(whole.value), whole.interval,
        none_if_nan(part.value), part.interval, None if point is None else realised(point, predictions),
        calibration(scores, positive, predictions.patients), subgroups(predictions, point))
