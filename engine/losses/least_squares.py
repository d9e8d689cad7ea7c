"""Least squares, also called the quadratic cost."""
from __future__ import annotations

from engine.arrays import Array
from engine.losses.pair import pair
from engine.reduction import WHOLE, Reduction


def least_squares(prediction: Array, target: Array, reduction: Reduction = WHOLE) -> tuple[Array, Array]:
    """l = 1/N sum 1/2 (y - p)^2,     dl/dp = (p - y) / N              (section 3.1.7)

    prediction p, target y: (N, ...).
    """
    xp, y = pair(prediction, target)
    difference = prediction - y
    samples = reduction.samples(prediction.shape[0])
    squares, = reduction.sum(xp.sum(difference * difference))
    return squares / (2 * samples), difference / samples
