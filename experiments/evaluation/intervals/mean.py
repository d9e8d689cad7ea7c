"""The mean of a number from 0 to 1 over images of patients: the Brier score."""
from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t

from experiments.evaluation.intervals.estimate import TAILS, Estimate


def mean(values: np.ndarray, owner: np.ndarray, patients: int) -> Estimate:
    """Of (n,) numbers from 0 to 1, with (n,) int `owner` as of `proportion`. NaN without images.

    The variance v is between patients, as that of `proportion`; the interval is Student's on the scale of the logit,
    logit(x) -+ t sqrt(v)/(x (1-x)), so that it stays between 0 and 1. Where v is 0 there is no interval: values that
    are all alike do not say how others are.

    Simulated for Brier scores from 0.02 to 0.6 (400 test sets each; 8 and 36, 5 and 200, 20 and 40, 100 and 1000
    patients with the class and without, one image or two of each; areas of 0.6, 0.8 and 0.95; outputs that are too low,
    right or too high) it covers 92 to 100 %.
    """
    sizes = np.bincount(owner, minlength=patients).astype(np.float64)
    n, there = sizes.sum(), np.count_nonzero(sizes)
    if not n:
        return Estimate(np.nan, np.nan, np.nan, sizes)
    x = float(np.sum(values) / n)
    influence = (np.bincount(owner, weights=values, minlength=patients) - x * sizes) / n
    if there < 2 or not influence.any():
        return Estimate(x, np.nan, np.nan, influence)
    influence *= np.sqrt(there / (there - 1))
    reach = t.ppf(TAILS[1], there - 1) * np.sqrt(np.sum(influence**2)) / (x * (1 - x))
    return Estimate(x, float(expit(logit(x) - reach)), float(expit(logit(x) + reach)), influence)
