"""The mean number of something in an image, for images of patients: false positives."""
from __future__ import annotations

import numpy as np
from scipy.stats import gamma, t

from experiments.evaluation.intervals.estimate import NORMAL_QUANTILE, TAILS, Estimate


def rate(counts: np.ndarray, owner: np.ndarray, patients: int) -> Estimate:
    """Of (n,) counts, where (n,) int `owner` says which of the P patients an image is of. NaN without images.

    m = sum of x_i / sum of n_i over the I patients with images, x_i being the count of all n_i images of one. The
    influence u_i and the variance v = sum of u_i^2 are those of `proportion`. A Poisson count in n independent images
    has the variance m/n, so these images are worth

        n* = m / v (1.96 / t)^2

    of such, t being the 97.5 % point of Student's distribution with I - 1 degrees of freedom; at most n, and where v is
    0 the number of patients (sum of n_i)^2 / sum of n_i^2. The interval is the exact one of a Poisson count of m n* in
    n* images, its ends as quantiles of gamma distributions: Fay and Feuer, "Confidence intervals for directly
    standardized rates: a method based on the gamma distribution" (Statistics in Medicine 16, 1997, 791-801).

    Simulated (600 test sets each; 5, 10, 22 and 60 patients with 1, 2 or 4 images, means of 0.1, 0.5 and 2, patients
    alike or their means spread as an exponential distribution) it covers 93 to 100 %.
    """
    sizes = np.bincount(owner, minlength=patients).astype(np.float64)
    sums = np.bincount(owner, weights=counts, minlength=patients)
    n, there = sizes.sum(), np.count_nonzero(sizes)
    if not n:
        return Estimate(np.nan, np.nan, np.nan, sizes)
    mean = float(sums.sum() / n)
    influence = (sums - mean * sizes) / n
    if there < 2:
        return Estimate(mean, np.nan, np.nan, influence)
    influence *= np.sqrt(there / (there - 1))
    variance = float(np.sum(influence**2))
    student = t.ppf(TAILS[1], there - 1)
    worth = (min(n, mean / variance * (NORMAL_QUANTILE / student) ** 2) if variance
             else n**2 / float(np.sum(sizes**2)))
    found = mean * worth
    low = gamma.ppf(TAILS[0], found) / worth if mean > 0 else 0.0
    return Estimate(mean, float(low), float(gamma.ppf(TAILS[1], found + 1) / worth), influence)
