"""The losses of the ROI detectors: ratios of sums over the batch, where a small mask counts as much as its background.

Both are those of A.3.5, with epsilon = 1e-6 against empty sums; p is the prediction, y the mask, sums run over all
elements of all samples.
"""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels import error_sums, overlap_sums
from engine.losses.pair import pair_of_probabilities
from engine.reduction import WHOLE, Reduction

EPSILON = 1e-6


def dice(prediction: Array, target: Array, reduction: Reduction = WHOLE) -> tuple[Array, Array]:
    """l = 1 - A/B - C/D                                                                       (3.43)

        A = sum p y + eps                B = sum (p + y) + eps
        C = sum (1-p)(1-y) + eps         D = sum (2 - p - y) + eps

        dl/dp = -(y B - A) / B^2 + ((1-y) D - C) / D^2

    prediction in [0, 1], target in [0, 1]: any one shape.

    For sets the coefficient is 2 |A and B| / (|A| + |B|): 2 J / (1 + J) of the Jaccard index J = |A and B| / |A or B|
    (errata: footnote 5 prints J as 2 |A B| / (|A|^2 + |B|^2)).

    A perfect prediction of a mask with both values has A/B = C/D = 1/2 and l = 0; the worst has l = 1. Where mask and
    prediction are both empty, A/B = eps/eps = 1 and l = -1/2, and the same where both are full: (3.43) is not bounded
    below by 0, and rewards a batch without lesion. The definition stays that of A.3.5: value and gradient are finite.
    At an empty mask of n elements A/B gives the gradient eps / (sum p + eps)^2, up to 1/eps for p = 0 and soon nothing,
    and C/D gives between 1/(4n) and 1/n: the prediction is always driven towards empty.
    """
    _, y = pair_of_probabilities(prediction, target)
    sums = reduction.sum(*overlap_sums(prediction, y))
    a, b, c, d = (each + EPSILON for each in sums)
    return 1 - a / b - c / d, (a / b - y) / b + (1 - y - c / d) / d


def sensitivity_specificity(prediction: Array, target: Array, rho: float = 0.5, reduction: Reduction = WHOLE
                            ) -> tuple[Array, Array]:
    """l = rho S / (sum y + eps) + (1 - rho) T / (sum (1-y) + eps)                             (3.49)

        S = sum (y - p)^2 y              the squared error on the mask: sensitivity
        T = sum (y - p)^2 (1-y)          the squared error beside it: specificity

        dl/dp = 2 (p - y) [rho y / (sum y + eps) + (1 - rho) (1-y) / (sum (1-y) + eps)]

    prediction, target in [0, 1]: any one shape; rho weights the lesion against the background (the thesis does not say
    which value it took).

    Errata: printed is (y p)^2 in the place of (y - p)^2: least for p = 0, whatever the mask, and without any term from
    the background (y^2 (1-y) = 0 in a binary mask). The code of A.3.5 has the difference.

    An empty mask has no sensitivity: its term is 0 / eps = 0, and the loss the mean of p^2 times 1 - rho; a full mask
    likewise has no specificity.
    """
    if not 0 <= rho <= 1:
        raise ValueError(f"rho is {rho}; expected 0 to 1, the share of the loss that the mask itself has")
    _, y = pair_of_probabilities(prediction, target)
    s, mask, t, rest = reduction.sum(*error_sums(prediction, y))
    inside, outside = rho / (mask + EPSILON), (1 - rho) / (rest + EPSILON)
    return inside * s + outside * t, 2 * (prediction - y) * (inside * y + outside * (1 - y))
