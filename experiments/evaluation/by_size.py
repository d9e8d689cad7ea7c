"""How many of the annotations of each size a detector finds: (4.1) for each size group, with an interval by patient."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.evaluation.intervals import Interval, proportion
from experiments.evaluation.per_class import none_if_nan


@dataclass(frozen=True, slots=True)
class Overlap:
    """images     of the size group
    value, ci  overlap accuracy, the share of them for which (4.1) is 1, and its 95 % interval; None where undefined"""
    images: int
    value: float | None
    ci: Interval | None


def overlap_by_size(found: np.ndarray, patients: np.ndarray, groups: Mapping[str, np.ndarray]) -> dict[str, Overlap]:
    """found (n,) bool: whether (4.1) is 1 for an image; patients (n,) str; groups: places in these, by name."""
    names, owner = np.unique(patients, return_inverse=True)
    estimates = {group: proportion(found[members], owner[members], len(names)) for group, members in groups.items()}
    return {group: Overlap(len(groups[group]), none_if_nan(each.value), each.interval)
            for group, each in estimates.items()}
