"""Gradients by central differences, entry by entry: what the verdicts call "finite differences"."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from exercises.exercise import Expected

STEP = 1e-5  # truncation is 1e-11 of the third derivative, roundoff 1e-11 of the value


def gradient(function: Callable[[], np.ndarray], array: np.ndarray, dy: np.ndarray) -> Expected:
    """<dy, f(a + h e) - f(a - h e)> / 2h for every entry e of the array, which is moved in place and comes back.

    Roundoff, the last bits of <dy, f> divided by h, is the `noise`: so the answer to a gradient that is truly 0 may be
    0 or 1e-12, and is right.
    """
    result = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = np.vdot(dy, function())
        array[index] = kept - STEP
        below = np.vdot(dy, function())
        array[index] = kept
        result[index] = (above - below) / (2 * STEP)
    noise = 64 * float(np.finfo(np.float64).eps) * float(np.linalg.norm(dy * function())) / STEP
    return Expected(result, "finite differences", noise, relative=1e-6)
