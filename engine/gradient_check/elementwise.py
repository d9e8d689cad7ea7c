"""The gradient entry by entry: slow, and it names the entry that is wrong."""
from __future__ import annotations

import numpy as np

from engine.gradient_check.difference import STEPS, TOLERANCE, relative_error
from engine.gradient_check.directional import comparable, purity
from engine.gradient_check.probe import Probe, advice
from engine.gradient_check.purity import Analytic, analytic
from engine.gradient_check.result import Result, badness
from engine.layer import Layer, Run


def check_elements(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator, name: str = "",
                   samples: int | None = None) -> list[Result]:
    """Every entry of x and of every parameter against its central difference; the message names the worst one.

    samples: how many random entries of each array to check; None for all. Raises ValueError as `check`.
    """
    name = name or type(layer).__name__
    found = analytic(layer, x, run, rng)
    results = [purity(name, found)]
    if not found.gradients:
        return results
    probe = Probe(layer, x, run)
    noise = probe.noise(found.dy, rng)
    for parameter, array, gradient in comparable(layer, x, found):
        flat = np.arange(array.size)
        if samples is not None and samples < array.size:
            flat = np.sort(rng.choice(array.size, samples, replace=False))
        entries = [_entry(name, parameter, array, gradient, found, probe, noise, np.unravel_index(k, array.shape))
                   for k in flat]
        results.append(max(entries, key=badness))
    return results


def _entry(name: str, parameter: str, array: np.ndarray, gradient: np.ndarray, found: Analytic, probe: Probe,
           noise: float, index: tuple[np.intp, ...]) -> Result:
    direction = np.zeros(array.shape)
    direction[index] = 1
    step, difference = probe.smooth_difference([array], [direction], STEPS)
    numeric = float(np.vdot(found.dy, difference.above - difference.below)) / (2 * step)
    exact = float(gradient[index])
    error = relative_error(numeric, exact, noise / step, TOLERANCE)
    at = f"[{', '.join(str(int(i)) for i in index)}]"
    if difference.crossings:
        distance = probe.kink_distance([array], [direction], step)
        return Result(name, parameter, error, False, f"at {at}: {advice(difference.crossings, distance, step)}",
                      kink=True)
    return Result(name, parameter, error, error <= TOLERANCE,
                  f"worst entry {at}: numeric {numeric:.9g}, analytic {exact:.9g}, step {step:.0e}")
