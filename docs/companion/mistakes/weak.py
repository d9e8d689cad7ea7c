"""Checks that are too weak, each for its own reason. All return the error that they measure."""
from __future__ import annotations

import numpy as np

from engine.gradient_check import distinct
from engine.layer import Layer, Run

STEP = 1e-5


def directional(layer: Layer, x: np.ndarray, run: Run | None = None, *, parameter: str = "x",
                dy: np.ndarray | None = None, v: np.ndarray | None = None, seed: int = 0) -> float:
    """|numeric - analytic| / max of the two, along v, for x or a parameter; dy and v are random where none is given."""
    rng, run = np.random.default_rng(seed), run or Run()
    y, saved = layer.forward(x, run)
    dy = rng.standard_normal(np.shape(y)) if dy is None else dy
    dx, grads = layer.backward(dy, saved)
    array, gradient = (x, dx) if parameter == "x" else (layer.parameters()[parameter], grads[parameter])
    v = rng.standard_normal(array.shape) if v is None else v
    here, values = array.copy(), []
    for step in (STEP, -STEP):
        array[...] = here + step * v
        values.append(float(np.vdot(dy, layer.forward(x, run)[0])))
    array[...] = here
    numeric, analytic = (values[0] - values[1]) / (2 * STEP), float(np.vdot(gradient, v))
    return abs(numeric - analytic) / (max(abs(numeric), abs(analytic)) or 1.0)


def only_one_entry(layer: Layer, x: np.ndarray, parameter: str, entry: tuple[int, ...]) -> float:
    """The same along one axis: a single entry."""
    array = x if parameter == "x" else layer.parameters()[parameter]
    v = np.zeros(array.shape)
    v[entry] = 1
    return directional(layer, x, parameter=parameter, v=v)


def only_the_direction(layer: Layer, x: np.ndarray) -> float:
    """1 - the cosine of the angle between dx and the gradient by differences, which a factor does not change."""
    rng, numeric = np.random.default_rng(0), np.zeros_like(x)
    y, saved = layer.forward(x, Run())
    dy = rng.standard_normal(y.shape)
    dx, _ = layer.backward(dy, saved)
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = STEP
        above, below = (layer.forward(x + sign * step, Run())[0] for sign in (1, -1))
        numeric[index] = np.vdot(dy, above - below) / (2 * STEP)
    length = float(np.linalg.norm(dx) * np.linalg.norm(numeric))
    return 1 - float(np.vdot(dx, numeric)) / length if length else float("inf")


def only_in_the_mean(layer: Layer, x: np.ndarray, masks: int = 4000) -> float:
    """How far dx, averaged over many masks, is from dy = 1, relative."""
    means = np.zeros_like(x)
    for seed in range(masks):
        y, saved = layer.forward(x, Run(seed=(seed,)))
        means += layer.backward(np.ones_like(y), saved)[0] / masks
    return float(np.abs(means - 1).max())


def ones(layer: Layer, x: np.ndarray) -> float:
    """dy all ones: the derivative of the sum of the outputs, against the size that it has for other dy."""
    y, saved = layer.forward(x, Run())
    v = np.random.default_rng(0).standard_normal(x.shape)
    analytic = float(np.vdot(layer.backward(np.ones_like(y), saved)[0], v))
    above, below = (float(layer.forward(x + sign * STEP * v, Run())[0].sum()) for sign in (1, -1))
    return abs((above - below) / (2 * STEP) - analytic)


def picture(*shape: int, low: float = -1.0, seed: int = 5) -> np.ndarray:
    """Distinct numbers between low and 1."""
    return distinct(np.random.default_rng(seed), *shape, low=low)
