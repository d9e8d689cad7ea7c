"""The gradient along one random direction: two forward passes for x, and two for every parameter, however large."""
from __future__ import annotations

import numpy as np

from engine.gradient_check.comparison import Comparer
from engine.gradient_check.protocol import begin, unit
from engine.gradient_check.result import Result
from engine.layer import Layer, Run


def check(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator, name: str = "") -> list[Result]:
    """<dy, f(x + h v) - f(x - h v)> / 2h = <backward(dy), v>, for x and every parameter, each along a random v.

    v is of length 1; dy is random as well (see `analytic`). A wrong gradient passes only if its error happens to be
    orthogonal to v, to six digits, or is less than roundoff (`Result.resolution`). Arrays are moved in place and come
    back bit for bit. Raises ValueError unless x and the layer's arrays are writeable NumPy arrays in float64; what the
    layer itself does wrong is a row that fails.
    """
    rows, comparer = begin(layer, x, run, rng, name)
    return rows + along_directions(comparer, rng) if comparer else rows


def along_directions(comparer: Comparer, rng: np.random.Generator) -> list[Result]:
    """The rows of `check` beyond the protocol's."""
    return [comparer.compare(parameter, array, unit(rng, array.shape))
            for parameter, array in comparer.arrays(comparer.layer, comparer.x)]
