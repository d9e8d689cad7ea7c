"""Figures for each class and their mean, with their intervals: what stands in a row of a table and in results.json."""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import SupportsFloat

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation.intervals import Estimate, Interval

ByClass = dict[str, float | None]  # by class, then "mean"; None where undefined
Intervals = dict[str, Interval | None]  # the same of their intervals


def require_same_classes(figures: Mapping[str, Iterable[str]]) -> None:
    """figures: what each is called, and whose it is. Raises ValueError where they are not all of the same classes and,
    last, of their mean: a file that holds them is damaged."""
    expected = tuple(next(iter(figures.values())))
    for name, found in figures.items():
        if tuple(found) != expected or expected[-1:] != ("mean",):
            raise ValueError(f"`{name}` is of {', '.join(found) or 'no class'}; expected are the classes of every "
                             "other figure, and mean")


def none_if_nan(value: SupportsFloat) -> float | None:
    """JSON has no NaN: an undefined figure is null there."""
    number = float(value)
    return None if math.isnan(number) else number


def by_class(values: np.ndarray, classes: tuple[str, ...] = CLASSES) -> ByClass:
    """(C,) as {"cancer": ..., "normal": ..., "benign": ..., "mean": ...}; NaN becomes None and the mean with it."""
    figures = [*values, np.mean(values)]
    return {name: none_if_nan(value) for name, value in zip((*classes, "mean"), figures, strict=True)}


def intervals_by_class(estimates: Sequence[Estimate], classes: tuple[str, ...] = CLASSES) -> Intervals:
    """Those of the C classes, then that of their mean."""
    return {name: each.interval for name, each in zip((*classes, "mean"), estimates, strict=True)}
