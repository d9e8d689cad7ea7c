"""How far a central difference and a gradient may be apart.

    numeric = <dy, f(x + h v) - f(x - h v)> / 2h        exact = <backward(dy), v>

Two errors separate them in a right layer. Truncation is h^2/6 times the third derivative along v: about 1e-11 of the
derivative. Roundoff is the last bits of y, divided by h; it does not shrink with the derivative, so it has a term of
its own below. A wrong gradient is another kind of number: a forgotten term moves it by 1e-3 or more, a
computation in float32 inside by 1e-7 / h = 0.03.
"""
from __future__ import annotations

import math

import numpy as np

EPSILON = float(np.finfo(np.float64).eps)

# The largest step first: roundoff is least there. Smaller ones are for points near a kink.
STEPS = (3e-6, 3e-7, 3e-8)

# A thousand times the error of right layers (median 1e-9), and below that of the smallest mistake that matters: batch
# norm whose backward lacks the epsilon of 1e-5 is wrong by 1e-5.
TOLERANCE = 1e-6

# The complex step has no roundoff that grows as 1/h and no truncation: right layers are at 1e-15.
COMPLEX_TOLERANCE = 1e-11

# How far two ways to compute the same array may be apart: their rounding, as batch norm amplifies it (measured: 4e-13),
# and far less than if one of them computed in float32 (1e-7).
SAME = 1e-10

# Roundoff in units of the last bit of <dy, y>. At least the rounding of the points and of y; at most what sums and
# batch norm do to it in deep networks (measured: 2 in layers, 250 in the U-net), so that a layer that computes in
# float32 inside (1e9) does not excuse its errors with its own noise.
LEAST_NOISE, MOST_NOISE = 4, 1024


def last_bit(dy: np.ndarray, y: np.ndarray) -> float:
    """The last bit of <dy, y>, a sum of terms that were each rounded."""
    return EPSILON * float(np.linalg.norm(dy * y))


def compared(numeric: float, exact: float, unseen: float, tolerance: float) -> tuple[float, bool, float]:
    """(error, passed, resolution) of a gradient along a direction.

    error       |numeric - exact| / max(|numeric|, |exact|); inf where either is not finite
    passed      |numeric - exact| <= tolerance max(|numeric|, |exact|) + unseen, the roundoff divided by the step
    resolution  unseen / max(|numeric|, |exact|), where it passed only thanks to that term, otherwise 0: the relative
                error that could not have been told from roundoff

    Where roundoff rules, right gradients are a quarter of it apart, as it is four times what was measured.
    """
    if not (math.isfinite(numeric) and math.isfinite(exact)):
        return math.inf, False, 0.0
    separate, largest = abs(numeric - exact), max(abs(numeric), abs(exact))
    if separate <= tolerance * largest:
        return separate / largest if separate else 0.0, True, 0.0
    passed = separate <= tolerance * largest + unseen
    return separate / largest, passed, unseen / largest if passed else 0.0


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """Length of the difference over that of the longer; nan where either is not finite."""
    difference = float(np.linalg.norm(first - second))
    return difference / max(float(np.linalg.norm(first)), float(np.linalg.norm(second))) if difference else 0.0
