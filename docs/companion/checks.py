"""A gradient check as a page shows it: the rows of the table, and the error over the step size."""
import numpy as np
from matplotlib.axes import Axes

from companion.figures import BLUE, GREY, STYLES, VERMILION, figure
from engine.gradient_check import Sweep, check, sweep
from engine.gradient_check.step_size import STEPS
from engine.layer import Layer, Run


def verify(layer: Layer, x: np.ndarray, run: Run | None = None, seed: int = 0) -> None:
    """Check every gradient of the layer at x (float64), print the table and draw the V.

    Raises AssertionError where one is wrong, so that a page with a wrong gradient is not built.
    """
    run = run or Run()
    results = check(layer, x, run, np.random.default_rng(seed))
    for row in results:
        print(f"{row.parameter:12} relative error {row.error:.1e}   {row.verdict}")
    assert all(row.passed for row in results), results
    curve = sweep(layer, x, run, np.random.default_rng(seed))
    assert curve.right, curve.judgement
    _, axes = figure()
    v_curve(axes[0, 0], {type(layer).__name__: curve})


def v_curve(axis: Axes, curves: dict[str, Sweep]) -> None:
    """The error of the central difference over its step: blue for a right gradient, vermilion for a wrong one."""
    for (name, curve), style in zip(curves.items(), STYLES * len(curves), strict=False):
        shown = ~curve.kinked
        axis.loglog(STEPS[shown], np.maximum(curve.errors[shown], 1e-17), linestyle=style, marker="o", markersize=3,
                    color=BLUE if curve.right else VERMILION, label=f"{name}: {curve.judgement.split(':')[0]}")
    axis.set(xlabel="step size h", ylabel="relative error", xlim=(STEPS.min() / 2, STEPS.max() * 2), ylim=(1e-17, 10))
    axis.grid(color="#DDDDDD", linewidth=0.5)
    axis.legend(fontsize=8, edgecolor=GREY)
