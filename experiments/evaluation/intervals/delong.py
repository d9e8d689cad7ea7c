"""DeLong's test: do two classifiers have the same AUROC on the same patients?"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from experiments.evaluation.intervals.estimate import NORMAL_QUANTILE, Estimate, Interval


@dataclass(frozen=True, slots=True)
class DeLong:
    """difference  of two areas; ci: its 95 % interval, difference -+ 1.96 standard errors; p: two-sided, that a
    difference as large is found where there is none"""
    difference: float
    ci: Interval
    p: float


def delong(difference: Estimate) -> DeLong | None:
    """Of the difference of areas that `combine` made of `area`; None where it has no interval.

    The variance is the sum of the patients' squared influences, (u_i - u'_i)^2: that of DeLong, DeLong and
    Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic curves"
    (Biometrics 44, 1988, 837-845), where each patient has one image, and of Obuchowski (Biometrics 53, 1997, 567-578)
    where she has several. Two classifiers that order all pairs alike have variance 0: then p is 1.
    """
    if difference.interval is None:
        return None
    error = float(np.sqrt(np.sum(difference.influence**2)))
    value = difference.value
    reach = NORMAL_QUANTILE * error
    p = 2 * float(ndtr(-abs(value) / error)) if error else float(value == 0)
    return DeLong(value, (value - reach, value + reach), p)
