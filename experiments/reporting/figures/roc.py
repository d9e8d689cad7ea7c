"""Figure 4.1: the ROC curve of each class against the others."""
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.evaluation import Evaluation
from experiments.evaluation.intervals.partial_area import MOST
from experiments.evaluation.operating_point import Realised
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.roc import Curve, curves
from experiments.reporting.figures.style import BLUE, GREEN, GREY, VERMILLION, new_figure, png, tidy
from experiments.reporting.tables import NAMES, interval, number

STYLES = {"cancer": (VERMILLION, "-"), "normal": (GREEN, "--"), "benign": (BLUE, "-.")}
CORNERS = (0.05, 0.1, 0.2, 0.4)  # sides of the square in the upper left that may be drawn enlarged
NO_POINTS: Mapping[str, Realised] = {}
EDGE = 0.01  # room for curves along the border
GOOD = 0.9  # AUROC from which on a curve lies mostly in that corner


def roc_figure(predictions: Mapping[str, ImagePredictions], results: Mapping[str, Evaluation],
               points: Mapping[str, Realised] = NO_POINTS) -> bytes:
    """`roc` as a PNG file."""
    return png(roc(predictions, results, points))


def roc(predictions: Mapping[str, ImagePredictions], results: Mapping[str, Evaluation],
        points: Mapping[str, Realised] = NO_POINTS) -> Figure:
    """A panel for each set, the run's own splits first, with AUROC and its 95 % interval in the legend, and a line
    where the partial AUROC ends. points: what the operating point gives, marked on the curve of cancer.

    Where a curve has an AUROC of 0.9 or more the corner that it turns in stands below, enlarged.
    """
    splits = [*(split for split in NAMES if split in predictions), *(name for name in predictions if name not in NAMES)]
    drawn = {split: curves(predictions[split].probabilities, predictions[split].labels) for split in splits}
    enlarged = any(corner(of) for of in drawn.values())
    figure = new_figure(5.6 * len(splits), 5.9 * (1 + enlarged))
    panels = figure.subplots(1 + enlarged, len(splits), squeeze=False)
    for (axes, *below), split in zip(panels.T, splits, strict=True):
        title = NAMES.get(split, split)
        _panel(axes, drawn[split], results[split], points.get(split))
        axes.set_title(f"{title} ({results[split].images} {results[split].unit.plural})")
        axes.legend(loc="lower right", fontsize=9, framealpha=0.9)
        side = corner(drawn[split])
        for close in below:
            if side is None:
                close.set_axis_off()
                continue
            _panel(close, drawn[split], results[split], points.get(split))
            close.set(xlim=(-EDGE * side, side), ylim=(1 - side, 1 + EDGE * side),
                      title=f"{title}: the upper left corner, enlarged")
            axes.add_patch(Rectangle((0, 1 - side), side, side, fill=False, edgecolor=GREY, linewidth=1))
    return figure


def corner(drawn: Sequence[Curve | None]) -> float | None:
    """The side of the square in the upper left where the good curves turn; None where no curve is good."""
    turns = [float(np.maximum(curve.fallout, 1 - curve.recall).min()) for curve in drawn
             if curve is not None and curve.auroc >= GOOD]
    return next((side for side in CORNERS if side >= 2 * max(turns)), CORNERS[-1]) if turns else None


def _panel(axes: Axes, drawn: Sequence[Curve | None], result: Evaluation, point: Realised | None) -> None:
    for name, curve in zip(result.classes, drawn, strict=True):
        colour, line = STYLES[name]
        if curve is None:
            axes.plot([], [], line, color=colour, label=f"{name}: undefined, all images or none")
            continue
        label = f"{name}: AUROC {number(curve.auroc, 3)}" + interval(result.auroc_ci[name], " [{}, {}]")
        axes.plot(curve.fallout, curve.recall, line, color=colour, linewidth=2, label=label)
    axes.axvline(MOST, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), label=f"false positive rate {MOST:g}")
    if point is not None and point.sensitivity is not None and point.specificity is not None:
        axes.plot(1 - point.specificity, point.sensitivity, "D", color="black", markersize=8, markerfacecolor="white",
                  markeredgewidth=1.8, zorder=4, label="operating point for cancer")
    axes.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1.2, label="guessing: AUROC 0.5")
    axes.set(xlim=(-EDGE, 1), ylim=(0, 1 + EDGE), aspect="equal", xlabel="false positive rate (fallout)",
             ylabel="true positive rate (recall)")
    tidy(axes)
