"""Does an output of 0.8 mean cancer in eight of ten cases?

The network learns from batches with as many images of each class, so its outputs are probabilities among such: where
cancer is rarer, the same outputs are too high. That alone is miscalibration, and no fault of the order of the cases,
which the AUROC measures.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.evaluation.intervals import Interval, mean, proportion

BINS = 10
FEWEST = 10  # units in a bin, where there are so many in all


@dataclass(frozen=True, slots=True)
class Bin:
    """units  with outputs from `lowest` to `highest`, in the mean `expected`; `observed`: the share of them that has
    the class, with its 95 % interval by patient"""
    units: int
    lowest: float
    highest: float
    expected: float
    observed: float
    ci: Interval | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """brier       mean of (output - truth)^2, truth 1 or 0: 0 is perfect; with its 95 % interval by patient
    no_skill    the Brier score of always answering the class's share p among these units, p (1 - p)
    error       expected calibration error: the sum over the bins of units/n |expected - observed|
    by_chance   what the error would be in the mean, if every output were exactly the probability of its unit and the
                units were independent: so few units alone make that
    bins        of equal mass: the units in the order of their outputs, cut into parts of like size; equal outputs are
                in one bin
    """
    brier: float
    brier_ci: Interval | None
    no_skill: float
    error: float
    by_chance: float
    bins: list[Bin]


def calibration(outputs: np.ndarray, positive: np.ndarray, patients: np.ndarray) -> Calibration:
    """Of (n,) outputs from 0 to 1 for (n,) bool, of (n,) patients; n at least 1."""
    outputs = np.asarray(outputs, dtype=np.float64)
    names, owner = np.unique(patients, return_inverse=True)
    brier, share = mean((outputs - positive) ** 2, owner, len(names)), float(positive.mean())
    bins, error, by_chance = [], 0.0, 0.0
    for of in equal_mass(outputs):
        observed, expected = proportion(positive[of], owner[of], len(names)), float(outputs[of].mean())
        bins.append(Bin(len(of), float(outputs[of].min()), float(outputs[of].max()), expected, observed.value,
                        observed.interval))
        error += len(of) / len(outputs) * abs(expected - observed.value)
        by_chance += float(np.sqrt(2 / np.pi * np.sum(outputs[of] * (1 - outputs[of])))) / len(outputs)  # E|normal|
    return Calibration(brier.value, brier.interval, share * (1 - share), error, by_chance, bins)


def equal_mass(outputs: np.ndarray) -> list[np.ndarray]:
    """The indices of the bins, of rising outputs: ten, or fewer where there are not ten units for each."""
    order, n = np.argsort(outputs, kind="stable"), len(outputs)
    number = max(1, min(BINS, n // FEWEST))
    rising = outputs[order]
    cuts = {int(np.searchsorted(rising, rising[n * cut // number])) for cut in range(1, number)} - {0}
    return np.split(order, sorted(cuts))
