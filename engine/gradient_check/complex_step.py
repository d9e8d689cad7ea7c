"""The gradient without a difference: the imaginary part of f(x + i h v), divided by h."""
from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import replace

import numpy as np

from engine.gradient_check.comparison import Comparer, limits
from engine.gradient_check.difference import COMPLEX_TOLERANCE, compared
from engine.gradient_check.directional import along_directions
from engine.gradient_check.protocol import begin, unit
from engine.gradient_check.result import Result
from engine.layer import Layer, Run

# Its square is below the least number there is, so that i^2 h^2 v^2 = 0: the truncation error vanishes.
STEP = 1e-200


class NotComplex(Exception):
    """The layer does not compute with complex numbers."""


def check_complex(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator, name: str = "") -> list[Result]:
    """<dy, Im f(x + i h v)> / h = <backward(dy), v>, h = 1e-200, for x and every parameter: exact to about 1e-15.

    For layers made of analytic functions that branch on real parts only (engine.kernels.real). A layer that refuses
    complex numbers, or drops the imaginary part, is checked by `check` instead, and the messages say so. A layer that
    takes |x| or conj(x) of complex numbers is not analytic; its rows fail. Raises ValueError as `check`.
    """
    rows, comparer = begin(layer, x, run, rng, name)
    return rows + along_imaginary(comparer, rng) if comparer else rows


def along_imaginary(comparer: Comparer, rng: np.random.Generator) -> list[Result]:
    """The rows of `check_complex` beyond the protocol's."""
    twin = deepcopy(comparer.layer)
    twin.convert(lambda array: array.astype(np.complex128))
    here, found, results = comparer.x.astype(np.complex128), comparer.found, []
    try:
        for parameter, array in comparer.arrays(twin, here):
            v = unit(rng, array.shape)
            array += 1j * STEP * v
            y = _forward(twin, here, comparer.run)
            array.imag = 0
            numeric = float(np.vdot(found.dy, y.imag)) / STEP
            exact = float(np.vdot(found.gradients[parameter], v))
            error, passed, resolution = compared(numeric, exact, comparer.noise, COMPLEX_TOLERANCE)
            results.append(Result(comparer.name, parameter, error, passed, limits(resolution) if passed else
                                  f"along a random direction: complex step {numeric:.12g}, analytic {exact:.12g}",
                                  resolution=resolution))
    except NotComplex as reason:
        return [replace(result, message=f"checked by central differences, as {reason}. {result.message}".strip())
                for result in along_directions(comparer, rng)]
    return results


def _forward(layer: Layer, x: np.ndarray, run: Run) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            y = np.array(layer.forward(x, replace(run, record=False))[0])  # a copy: y may be x itself
    except (TypeError, ValueError, np.exceptions.ComplexWarning) as error:
        raise NotComplex(f"the layer does not take complex numbers ({error})") from error
    if not np.iscomplexobj(y):
        raise NotComplex("the layer answers complex numbers with real ones")
    return y
