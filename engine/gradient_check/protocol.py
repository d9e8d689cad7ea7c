"""What every check begins with: the protocol's rows, and what there is to compare."""
from __future__ import annotations

import numpy as np

from engine.gradient_check.averages import averages
from engine.gradient_check.passes import Analytic
from engine.gradient_check.purity import analytic
from engine.gradient_check.result import PURITY, Result
from engine.layer import Layer, Run


def begin(name: str, layer: Layer, x: np.ndarray, run: Run,
          rng: np.random.Generator) -> tuple[Analytic, list[Result]]:
    """The analytic pass, the row that tells what the layer does that it must not, and a row for every buffer."""
    found = analytic(layer, x, run, rng)
    try:
        rows = averages(name, layer, x, run, found)
    except Exception as error:
        rows, problem = [], f"absorb, or inference after it, raised {type(error).__name__}: {error}"
        found.problems.append(problem)
    sound = not found.problems
    return found, [Result(name, PURITY, 0.0 if sound else float("inf"), sound, "; ".join(found.problems)), *rows]


def comparable(layer: Layer, x: np.ndarray, found: Analytic) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, array, gradient) of x and of every parameter whose gradient has its shape: see `problems` for others."""
    return [(path, array, found.gradients[path]) for path, array in {"x": x, **layer.parameters()}.items()
            if path in found.gradients and found.gradients[path].shape == array.shape and array.size]


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A random direction of length 1."""
    v = np.asarray(rng.standard_normal(shape))
    return v / np.linalg.norm(v)
