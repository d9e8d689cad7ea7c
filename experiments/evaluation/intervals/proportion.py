"""The share of the images that have a property, for images of patients: accuracy, recall."""
from __future__ import annotations

import numpy as np
from scipy.stats import beta, t

from experiments.evaluation.intervals.estimate import NORMAL_QUANTILE, TAILS, Estimate


def proportion(holds: np.ndarray, owner: np.ndarray, patients: int) -> Estimate:
    """Of (n,) bool, where (n,) int `owner` says which of the P patients an image is of. NaN without images.

    p = sum of x_i / sum of n_i over the I patients with images, x_i of whose n_i images have the property. Each moves p
    by u_i = sqrt(I/(I-1)) (x_i - p n_i) / n, so that the variance is v = sum of u_i^2, and the images are worth

        n* = p (1 - p) / v (1.96 / t)^2

    independent ones, t being the 97.5 % point of Student's distribution with I - 1 degrees of freedom: Korn and
    Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from survey
    data" (Survey Methodology 24, 1998, 193-201). At most n, and where v is 0, which says nothing, the number of
    patients (sum of n_i)^2 / sum of n_i^2: as if images of one patient were all alike. The interval is Clopper and
    Pearson's, exact for n* images of which p n* have the property.

    Simulated (1,000 test sets each; 5, 10, 22 and 60 patients, 1 to 7 images of each, alike or not, p of 0.5, 0.8, 0.95
    and 0.99) it covers 93.8 to 100 %. The percentile bootstrap covered 42 to 97 % (300 each; 10, 22, 60 patients of two
    images, p of 0.5, 0.8 and 0.95).
    """
    sizes = np.bincount(owner, minlength=patients).astype(np.float64)
    counts = np.bincount(owner, weights=holds, minlength=patients)
    n, there = sizes.sum(), np.count_nonzero(sizes)
    if not n:
        return Estimate(np.nan, np.nan, np.nan, sizes)
    p = float(counts.sum() / n)
    influence = (counts - p * sizes) / n
    if there < 2:
        return Estimate(p, np.nan, np.nan, influence)
    influence *= np.sqrt(there / (there - 1))
    worth = _effective_images(p, float(np.sum(influence**2)), sizes)
    found = p * worth
    low = beta.ppf(TAILS[0], found, worth - found + 1) if p > 0 else 0.0
    high = beta.ppf(TAILS[1], found + 1, worth - found) if p < 1 else 1.0
    return Estimate(p, float(low), float(high), influence)


def _effective_images(p: float, variance: float, sizes: np.ndarray) -> float:
    n = sizes.sum()
    if not variance:
        return float(n**2 / np.sum(sizes**2))
    student = t.ppf(TAILS[1], np.count_nonzero(sizes) - 1)
    return float(min(n, p * (1 - p) / variance * (NORMAL_QUANTILE / student) ** 2))
