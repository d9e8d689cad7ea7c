"""At a tie or a kink there is no gradient. A backward must still answer with a subgradient."""
from __future__ import annotations

import numpy as np

from engine.gradient_check.difference import EPSILON, LEAST_NOISE, TOLERANCE
from engine.gradient_check.directional import unit
from engine.gradient_check.probe import moved
from engine.gradient_check.purity import require_float64
from engine.gradient_check.result import Result
from engine.layer import Layer, Run

STEP = 3e-6


def check_subgradient(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator, name: str = "",
                      directions: int = 8) -> Result:
    """Every output's slope by backward lies between its slopes on the two sides of x, along random directions in x.

    So a max-pool may give a tie's gradient to any one of the equal pixels or share it out, but not give it to all. For
    one layer (ReLU, LeakyReLU, max-pool): in a network whose kinks cancel, subgradients of the layers need not be one
    of the whole. One backward pass for each output: keep x small. The error is how far outside a slope is, relative to
    the slopes.
    """
    name = name or type(layer).__name__
    require_float64(layer, x)
    y, saved = layer.forward(x, run)
    y = np.array(y)
    worst, message = 0.0, ""
    rows = [layer.backward(dy.reshape(y.shape), saved)[0] for dy in np.eye(y.size)]
    for _ in range(directions):
        v = unit(rng, x.shape)
        sides = []
        for step in (STEP, -STEP):
            with moved([x], [v], step):
                sides.append((np.array(layer.forward(x, run)[0]) - y).ravel() / step)
        least, most = np.minimum(*sides), np.maximum(*sides)
        for k, row in enumerate(rows):
            slope = float(np.vdot(row, v))
            outside = max(slope - most[k], least[k] - slope, 0.0)
            unseen = LEAST_NOISE * EPSILON * abs(float(y.flat[k])) / STEP
            scale = max(abs(slope), abs(most[k]), abs(least[k])) + unseen / TOLERANCE
            error = float(outside / scale) if outside else 0.0
            if not error <= worst:
                worst = error
                message = (f"output {tuple(int(i) for i in np.unravel_index(k, y.shape))}: slope {slope:.9g} by "
                           f"backward, {least[k]:.9g} to {most[k]:.9g} on the two sides of x")
    passed = worst <= TOLERANCE
    return Result(name, "x", worst, passed, "" if passed else message)
