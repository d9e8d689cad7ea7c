"""Figure 4.1: the ROC curve of each class against the others."""
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from experiments.evaluation.classification import classes_of
from experiments.evaluation.roc import curves
from experiments.reporting.figures.style import BLUE, GREEN, GREY, VERMILLION, new_figure, png, tidy
from experiments.reporting.record import Predictions
from experiments.reporting.tables import NAMES, interval, number

STYLES = {"cancer": (VERMILLION, "-"), "normal": (GREEN, "--"), "benign": (BLUE, "-.")}


def roc_figure(predictions: Mapping[str, Predictions], results: Mapping[str, Any]) -> bytes:
    """A panel for each split, with AUROC and its 95 % interval from `results` (of `evaluate`) in the legend."""
    splits = [split for split in NAMES if split in predictions]
    figure = new_figure(5.6 * len(splits), 5.9)
    for axes, split in zip(figure.subplots(1, len(splits), squeeze=False)[0], splits, strict=True):
        _panel(axes, predictions[split], results[split])
        axes.set_title(f"{NAMES[split]} ({results[split]['images']} images)")
    return png(figure)


def _panel(axes: Axes, predictions: Predictions, result: dict[str, Any]) -> None:
    for name, curve in zip(classes_of(result), curves(predictions.probabilities, predictions.labels), strict=True):
        colour, line = STYLES[name]
        if curve is None:
            axes.plot([], [], line, color=colour, label=f"{name}: undefined, all images or none")
            continue
        label = f"{name}: AUROC {number(curve.auroc, 3)}" + interval(result["auroc_ci"][name], " [{}, {}]")
        axes.plot(curve.fallout, curve.recall, line, color=colour, linewidth=2, label=label, clip_on=False)
    axes.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1.2, label="guessing: AUROC 0.5")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="false positive rate (fallout)",
             ylabel="true positive rate (recall)")
    tidy(axes)
    axes.legend(loc="lower right", fontsize=9, framealpha=0.9)
