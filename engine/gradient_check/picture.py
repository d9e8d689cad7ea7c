"""The picture of the sweeps: one panel for each kind of layer, a curve for each case."""
from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.files import write_whole
from engine.gradient_check.step_size import STEPS, Sweep

RIGHT, WRONG, GUIDE = "#0072B2", "#D55E00", "#555555"  # Okabe-Ito blue and vermilion, told apart by dashes and text too
LEAST = 1e-17  # where an error of exactly 0 is drawn
COLUMNS = 6


def draw(sweeps: list[tuple[str, Sweep]], file: Path) -> None:
    """Log-log panels of (kind, sweep), written to the file in the format that its suffix names.

    Raises ValueError for a suffix that no format has.
    """
    kinds = list(dict.fromkeys(kind for kind, _ in sweeps))
    columns = max(1, min(COLUMNS, len(kinds)))
    rows = max(1, -(-len(kinds) // columns))
    figure = Figure(figsize=(max(2.7 * columns, 5.4), 2.5 * rows + 1.6), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, axis in enumerate(axes.flat):
        if place < len(kinds):
            _panel(axis, kinds[place], [sweep for kind, sweep in sweeps if kind == kinds[place]])
            axis.tick_params(labelbottom=place + columns >= len(kinds))
        else:
            axis.set_visible(False)
    figure.suptitle("A right gradient's error falls as h² (truncation) and rises as 1/h (roundoff): a V, or its left\n"
                    "arm alone where nothing is truncated. A wrong one's is flat. Crosses: a kink was crossed.",
                    fontsize=10)
    figure.supxlabel("step size h (in units of the input and parameters)", fontsize=10)
    figure.supylabel("relative error of the central difference", fontsize=10)
    picture = BytesIO()
    figure.savefig(picture, format=file.suffix.removeprefix("."), dpi=120)
    write_whole(file, picture.getvalue())


def _panel(axis: Axes, kind: str, sweeps: list[Sweep]) -> None:
    axis.set(xscale="log", yscale="log", xlim=(STEPS.min() / 2, STEPS.max() * 2), ylim=(LEAST / 3, 30),
             xticks=[1e-10, 1e-7, 1e-4, 1e-1], yticks=[1e-16, 1e-12, 1e-8, 1e-4, 1])
    axis.minorticks_off()
    axis.grid(color="#DDDDDD", linewidth=0.5)
    fall, rise = np.array([3e-5, 1e-1]), np.array([1e-11, 1e-6])
    axis.plot(fall, 1e-2 * fall ** 2 / 1e-2, ":", color=GUIDE, linewidth=1)
    axis.plot(rise, 1e-16 / rise, ":", color=GUIDE, linewidth=1)
    axis.annotate("slope 2", (fall[0], 1e-9), xytext=(4, -10), textcoords="offset points", fontsize=7, color=GUIDE)
    axis.annotate("slope −1", (1e-9, 1e-7), xytext=(-30, -18), textcoords="offset points", fontsize=7, color=GUIDE)
    for sweep in sweeps:
        errors = np.maximum(sweep.errors, LEAST)
        clear = ~sweep.kinked
        axis.plot(STEPS[clear], errors[clear], "-" if sweep.right else "--", color=RIGHT if sweep.right else WRONG,
                  linewidth=1 if sweep.right else 2, alpha=0.7 if sweep.right else 1)
        axis.plot(STEPS[~clear], errors[~clear], "x", color=GUIDE, markersize=3)
    wrong = [sweep for sweep in sweeps if not sweep.right]
    axis.set_title(f"{kind}: {wrong[0].judgement.split(':')[0].upper()}" if wrong else kind, fontsize=8,
                   color=WRONG if wrong else "black", fontweight="bold" if wrong else "normal", parse_math=False)
    axis.tick_params(labelsize=7)
