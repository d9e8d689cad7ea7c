"""Is the classifier as good for dense breasts, for older women, on the other scanner? A table for all that a set tells.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.datasets.mammogram import FACTS
from experiments.evaluation.intervals import Interval, area
from experiments.evaluation.operating_point import OperatingPoint, Realised, of_cancer, realised
from experiments.evaluation.per_class import none_if_nan
from experiments.evaluation.predictions import SOURCE, ImagePredictions

FEWEST = 5  # patients with cancer and patients without, from which on a group is measured
NOT_TOLD = "not told"


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Those units for which a fact has one value. patients: whose they are; cancers, cancer_patients: those with
    cancer. auroc, of cancer against the others, with its 95 % interval, and what an operating point gives, are None
    where the group has fewer than `FEWEST` patients with cancer or without; the latter also without such a point.
    """
    value: str
    units: int
    patients: int
    cancers: int
    cancer_patients: int
    auroc: float | None
    auroc_ci: Interval | None
    realised: Realised | None


def subgroups(predictions: ImagePredictions, point: OperatingPoint | None = None) -> dict[str, list[Subgroup]]:
    """By source and by every fact that has at least two values among these units: the groups in the order of the
    values, ages in decades, those of which it is not told last.

    Raises ValueError where the point was chosen on units of another kind.
    """
    found = {}
    for name in (SOURCE, *FACTS):
        if name in predictions.facts:
            values = predictions.facts[name]
            groups = np.array([_decade(value) if name == "age" else value for value in values.tolist()], dtype=str)
            named = sorted({*groups.tolist()} - {""}, key=_in_order)
            if len(named) > 1:
                found[name] = [_subgroup(predictions, groups == value, value or NOT_TOLD, point)
                               for value in (*named, *([""] if (groups == "").any() else []))]
    return found


def _subgroup(predictions: ImagePredictions, chosen: np.ndarray, value: str, point: OperatingPoint | None) -> Subgroup:
    part = predictions.at(chosen)
    scores, positive = of_cancer(part)
    names, owner = np.unique(part.patients, return_inverse=True)
    sides = [len(np.unique(owner[of])) for of in (positive, ~positive)]
    auroc, ci, at_point = None, None, None
    if min(sides) >= FEWEST:
        estimate = area(scores, positive, owner, len(names))
        auroc, ci = none_if_nan(estimate.value), estimate.interval
        at_point = None if point is None else realised(point, part)
    return Subgroup(value, len(part), len(names), int(positive.sum()), sides[0], auroc, ci, at_point)


def _decade(age: str) -> str:
    """"47" -> "40 to 49"; what is no whole number, as it is."""
    if not age.isdecimal():
        return age
    decade = int(age) // 10 * 10
    return f"{decade} to {decade + 9}"


def _in_order(value: str) -> tuple[int, int, str]:
    """Numbers at the beginning by their size: 0 to 9 before 100 to 109."""
    digits = value.split(" ")[0]
    return (0, int(digits), value) if digits.isdecimal() else (1, 0, value)
