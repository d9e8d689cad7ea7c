"""One gradient against one central difference, and what the difference says where it cannot be trusted."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.gradient_check.difference import STEPS, TOLERANCE, compared
from engine.gradient_check.passes import Analytic
from engine.gradient_check.probe import Probe, advice
from engine.gradient_check.result import Result
from engine.layer import Layer, Run


@dataclass(frozen=True)
class Comparer:
    """What all comparisons of one layer share: the layer at its point, the analytic pass, forward passes and noise."""
    name: str
    layer: Layer
    x: np.ndarray
    run: Run
    found: Analytic
    probe: Probe
    noise: float

    def arrays(self, layer: Layer, x: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """(name, array) of x and of every parameter of the layer whose gradient has its shape: `problems` has others.

        layer, x: this one's, or a twin's.
        """
        gradients = self.found.gradients
        return [(path, array) for path, array in {"x": x, **layer.parameters()}.items()
                if path in gradients and gradients[path].shape == array.shape and array.size]

    def compare(self, parameter: str, array: np.ndarray, direction: np.ndarray, at: str = "") -> Result:
        """The gradient of an array along a direction, at the largest step that crosses no kink.

        A kink that no layer's `piece` tells of shows in the slopes f(x + hv) - f(x) and f(x) - f(x - hv): backward
        gives that of one side, and however small the step, the other is as far from it. So where the two differ by all
        that is wrong a smaller step is tried; a smooth function's slopes come together as the step shrinks.
        """
        exact = float(np.vdot(self.found.gradients[parameter], direction))
        bends: list[float] = []
        for step in STEPS:
            difference = self.probe.difference([array], [direction], step)
            right, left = (float(np.vdot(self.found.dy, slope)) / step for slope in (
                difference.above - self.probe.y, self.probe.y - difference.below))
            numeric = float(np.vdot(self.found.dy, difference.above - difference.below)) / (2 * step)
            error, passed, resolution = compared(numeric, exact, self.noise / step, TOLERANCE)
            if difference.crossings:
                continue
            if passed:
                return Result(self.name, parameter, error, True, limits(resolution), resolution=resolution)
            bends.append(abs(right - left) / 2)
            if not abs(numeric - exact) <= 1.01 * bends[-1]:
                break
        if difference.crossings:
            away = self.probe.kink_distance([array], [direction], step)
            return Result(self.name, parameter, error, False, at + advice(difference.crossings, away, step), kink=True)
        if len(bends) == len(STEPS) and max(bends) < 2 * min(bends):
            return Result(self.name, parameter, error, False, f"{at}a kink that no layer's `piece` tells of, within "
                          f"{step:.0e}: the slopes on its sides are {left:.9g} and {right:.9g}, analytic {exact:.9g}. "
                          "Take another x, or give the layer the method `piece` (or check_subgradient at a tie)",
                          kink=True)
        return Result(self.name, parameter, error, False, f"{at or 'along a random direction: '}numeric {numeric:.9g}, "
                      f"analytic {exact:.9g}, step {step:.0e}")


def limits(resolution: float) -> str:
    """What a number does not say that only roundoff's allowance lets pass; "" for 0."""
    return f"relative errors below {resolution:.0e} cannot be told from roundoff here" if resolution else ""
