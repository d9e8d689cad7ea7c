"""Least squares, also called the quadratic cost."""
from __future__ import annotations

from engine.arrays import Array
from engine.losses.pair import pair


def least_squares(prediction: Array, target: Array) -> tuple[Array, Array]:
    """l = 1/N sum 1/2 (y - p)^2,     dl/dp = (p - y) / N              (section 3.1.7)

    prediction p, target y: (N, ...).
    """
    xp, y = pair(prediction, target)
    difference = prediction - y
    samples = prediction.shape[0]
    return xp.sum(difference * difference) / (2 * samples), difference / samples
