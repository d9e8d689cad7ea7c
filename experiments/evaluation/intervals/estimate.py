"""A figure with its interval, and the interval of a sum of such figures."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
NORMAL_QUANTILE = 1.959963984540054  # of TAILS[1]
Interval = tuple[float, float]  # its lower and its upper end


@dataclass(frozen=True)
class Estimate:
    """value, low, high  the figure and its 95 % interval; NaN where they are undefined
    influence            (P,) float64: by how much each of the P patients moves the figure, to first order. The sum of
                         their squares is the figure's variance, that of two figures' products their covariance
    """

    value: float
    low: float
    high: float
    influence: np.ndarray

    @property
    def interval(self) -> Interval | None:
        """(low, high), None where it is undefined."""
        return None if np.isnan([self.low, self.high]).any() else (float(self.low), float(self.high))

    def scaled(self, factor: float, shift: float) -> Estimate:
        """Of factor x + shift, for a factor above 0."""
        value, low, high = (factor * end + shift for end in (self.value, self.low, self.high))
        return Estimate(value, low, high, factor * self.influence)


def combine(estimates: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """The weighted sum of figures of the same patients, for example a difference (1, -1) or a mean.

    With d_k the distance of the figure k from that end of its own interval which pulls the sum down, times its weight's
    size, and r_kl the correlation of the weighted figures k and l

        low = sum - sqrt(sum_kl r_kl d_k d_l)

    and the same upwards: Zou and Donner, "Construction of confidence limits about effect measures: a general approach"
    (Statistics in Medicine 27, 2008, 1693-1702); for two paired proportions it is method 10 of Newcombe (Statistics in
    Medicine 17, 1998, 2635-2650). The interval of a figure near 0 or 1 is lopsided, and so is then that of the sum. r
    comes from the patients' influences. A figure that no patient moves (all answers right) has no correlation: it is
    taken as 1 where two such figures are added, and as 0 where one is subtracted, which gives the wider interval.
    """
    factors = np.array(weights, dtype=np.float64)
    value, low, high = (np.array([getattr(each, name) for each in estimates]) for name in ("value", "low", "high"))
    influences = factors[:, None] * np.stack([each.influence for each in estimates])
    correlation = _correlation(influences, np.sign(factors))
    rising = factors > 0
    down = np.abs(factors) * np.where(rising, value - low, high - value)
    up = np.abs(factors) * np.where(rising, high - value, value - low)
    total = float(np.sum(factors * value))
    return Estimate(total, total - _length(down, correlation), total + _length(up, correlation), influences.sum(axis=0))


def _correlation(influences: np.ndarray, signs: np.ndarray) -> np.ndarray:
    products = np.einsum("kp,lp->kl", influences, influences)  # no BLAS: the same bits on any number of threads
    lengths = np.sqrt(np.diag(products))
    known = lengths > 0
    scale = np.where(known, lengths, 1)
    unknown = ~known[:, None] & ~known & (signs[:, None] == signs)
    return np.where(unknown, 1.0, products / (scale[:, None] * scale))


def _length(distances: np.ndarray, correlation: np.ndarray) -> float:
    return float(np.sqrt(np.maximum(np.einsum("k,kl,l->", distances, correlation, distances), 0)))
