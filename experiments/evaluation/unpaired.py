"""Is a figure another one on other patients? The difference of two figures that share none, with its interval."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.evaluation.intervals import Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and its 95 % interval; None where undefined."""
    value: float | None
    ci: Interval | None


@dataclass(frozen=True, slots=True)
class UnpairedDifference:
    """own, other    the figure on the run's own test set, and on the other set
    difference    other - own, with its 95 % interval; None where one of the two has none"""
    own: Figure
    other: Figure
    difference: Figure


def unpaired(own: Figure, other: Figure) -> UnpairedDifference:
    """With a and b the figures, (l, u) their intervals, d = b - a:

        low = d - sqrt((b - l_b)^2 + (u_a - a)^2),   high = d + sqrt((u_b - b)^2 + (a - l_a)^2)

    `intervals.combine` for figures that share no patient and so have no correlation (Zou and Donner 2008).
    """
    if own.value is None or other.value is None:
        return UnpairedDifference(own, other, Figure(None, None))
    difference = other.value - own.value
    if own.ci is None or other.ci is None:
        return UnpairedDifference(own, other, Figure(difference, None))
    down = float(np.hypot(other.value - other.ci[0], own.ci[1] - own.value))
    up = float(np.hypot(other.ci[1] - other.value, own.value - own.ci[0]))
    return UnpairedDifference(own, other, Figure(difference, (difference - down, difference + up)))
