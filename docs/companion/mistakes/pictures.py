"""The picture of a mistake: the error over the step size, and the loss over the steps of a training."""
from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from companion.mistakes.mistake import Mistake
from engine.gradient_check.step_size import STEPS, Sweep

RIGHT, WRONG = "#0072B2", "#D55E00"  # Okabe-Ito blue and vermilion, told apart by dashes and marks, too
LEAST = 1e-17  # where an error of exactly 0 is drawn
WINDOW = 9  # steps that the loss is averaged over


def draw(mistake: Mistake) -> bytes:
    """PNG, two panels."""
    figure = Figure(figsize=(8, 3.2), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06))
    errors, losses = figure.subplots(1, 2)
    _curves(errors, mistake.curve(mistake.right), mistake.curve(mistake.wrong))
    _losses(losses, mistake.trained(mistake.right).losses, mistake.trained(mistake.wrong).losses)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    return picture.getvalue()


def _curves(axes: Axes, right: Sweep, wrong: Sweep) -> None:
    for sweep, style, name in ((right, {"color": RIGHT, "marker": "o", "linestyle": "-"}, "right"),
                               (wrong, {"color": WRONG, "marker": "x", "linestyle": "--"}, "wrong")):
        clear = ~sweep.kinked
        errors = np.maximum(sweep.errors, LEAST)
        axes.plot(STEPS[clear], errors[clear], markersize=4, linewidth=1.5, label=name, **style)
    axes.set(xscale="log", yscale="log", ylim=(LEAST, 30), title="the gradient check",
             xlabel="step size h of the central difference", ylabel="relative error of the gradient")
    _finish(axes)


def _losses(axes: Axes, right: np.ndarray, wrong: np.ndarray) -> None:
    for losses, style, name in ((right, {"color": RIGHT, "linestyle": "-"}, "right"),
                                (wrong, {"color": WRONG, "linestyle": "--"}, "wrong")):
        mean = np.convolve(losses, np.ones(WINDOW) / WINDOW, mode="valid")
        axes.plot(WINDOW + np.arange(len(mean)), mean, linewidth=2, label=name, **style)
    axes.set(yscale="log", title="the training", xlabel="training step", ylabel=f"loss, mean of {WINDOW} steps")
    _finish(axes)


def _finish(axes: Axes) -> None:
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend()
