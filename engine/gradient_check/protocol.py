"""What every check begins with: the protocol's rows, and what there is to compare."""
from __future__ import annotations

import numpy as np

from engine.gradient_check.averages import averages
from engine.gradient_check.comparison import Comparer
from engine.gradient_check.probe import Probe
from engine.gradient_check.purity import analytic
from engine.gradient_check.result import PURITY, Result
from engine.layer import Layer, Run


def begin(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator,
          name: str = "") -> tuple[list[Result], Comparer | None]:
    """The rows of the protocol, a breach or none and one for every buffer; None where there is nothing to compare."""
    name = name or type(layer).__name__
    found = analytic(layer, x, run, rng)
    try:
        rows = averages(name, layer, x, run, found)
    except Exception as error:
        rows = []
        found.problems.append(f"absorb, or inference after it, raised {type(error).__name__}: {error}")
    sound = not found.problems
    rows = [Result(name, PURITY, 0.0 if sound else float("inf"), sound, "; ".join(found.problems)), *rows]
    if not found.gradients:
        return rows, None
    probe = Probe(layer, x, run)
    return rows, Comparer(name, layer, x, run, found, probe, probe.noise(found.dy, rng))


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A random direction of length 1."""
    v = np.asarray(rng.standard_normal(shape))
    return v / np.linalg.norm(v)
