"""The gradient along one random direction: two forward passes for x, and two for every parameter, however large."""
from __future__ import annotations

import numpy as np

from engine.gradient_check.difference import STEPS, TOLERANCE, relative_error
from engine.gradient_check.probe import Probe, advice
from engine.gradient_check.purity import Analytic, analytic
from engine.gradient_check.result import PURITY, Result
from engine.layer import Layer, Run


def check(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator, name: str = "") -> list[Result]:
    """<dy, f(x + h v) - f(x - h v)> / 2h = <backward(dy), v>, for x and every parameter, each along a random v.

    v is of length 1; dy is random as well (see `analytic`). A wrong gradient passes only if its error happens to be
    orthogonal to v, to six digits. Arrays are moved in place and come back bit for bit. Raises ValueError unless x and
    the layer's arrays are writeable NumPy arrays in float64; what the layer itself does wrong is a row that fails.
    """
    name = name or type(layer).__name__
    found = analytic(layer, x, run, rng)
    results = [purity(name, found)]
    if not found.gradients:
        return results
    probe = Probe(layer, x, run)
    noise = probe.noise(found.dy, rng)
    for parameter, array, gradient in comparable(layer, x, found):
        results.append(_along(name, parameter, array, gradient, found, probe, noise, unit(rng, array.shape)))
    return results


def _along(name: str, parameter: str, array: np.ndarray, gradient: np.ndarray, found: Analytic, probe: Probe,
           noise: float, v: np.ndarray) -> Result:
    step, difference = probe.smooth_difference([array], [v], STEPS)
    numeric = float(np.vdot(found.dy, difference.above - difference.below)) / (2 * step)
    exact = float(np.vdot(gradient, v))
    error = relative_error(numeric, exact, noise / step, TOLERANCE)
    if difference.crossings:
        distance = probe.kink_distance([array], [v], step)
        return Result(name, parameter, error, False, advice(difference.crossings, distance, step), kink=True)
    passed = error <= TOLERANCE
    return Result(name, parameter, error, passed, "" if passed else
                  f"along a random direction: numeric {numeric:.9g}, analytic {exact:.9g}, step {step:.0e}")


def purity(name: str, found: Analytic) -> Result:
    """The row that tells what forward and backward did that they must not."""
    sound = not found.problems
    return Result(name, PURITY, 0.0 if sound else float("inf"), sound, "; ".join(found.problems))


def comparable(layer: Layer, x: np.ndarray, found: Analytic) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, array, gradient) of x and of every parameter whose gradient has its shape: see `problems` for others."""
    return [(path, array, found.gradients[path]) for path, array in {"x": x, **layer.parameters()}.items()
            if path in found.gradients and found.gradients[path].shape == array.shape and array.size]


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A random direction of length 1."""
    v = np.asarray(rng.standard_normal(shape))
    return v / np.linalg.norm(v)
