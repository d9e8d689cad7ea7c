"""Figure 4.3: how the ten ROI detectors learn, a row for each measure and loss function, a column for each group."""
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.configuration.detector import LOSSES
from experiments.detectors.network import detector_name
from experiments.evaluation.segmentation import MEASURES
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.figures.style import BLUE, VERMILLION, new_figure, png, tidy, whole_steps
from experiments.runs.log import Entry, Measures

GROUP_TITLES = (f"{GROUPS[0]}: smallest", *GROUPS[1:-1], f"{GROUPS[-1]}: largest")
LOSS_TITLES = {"dice": "Dice", "ss": "SS"}
Style = tuple[str, Literal["-", "--"], str]
SPLITS: dict[str, Style] = {"train": (BLUE, "-", "training images"), "test": (VERMILLION, "--", "test images")}

BySplit = Mapping[str, Measures]  # "train" and "test"


def roi_grid_figure(histories: Mapping[str, Sequence[Entry]], complete: Mapping[str, BySplit]) -> bytes:
    """`roi_grid` as a PNG file."""
    return png(roi_grid(histories, complete))


def roi_grid(histories: Mapping[str, Sequence[Entry]], complete: Mapping[str, BySplit]) -> Figure:
    """Curves of each detector's own group over the training, and straight lines: its result on the complete data set.

    histories  "P0-dice" ... "P4-ss" -> the lines of metrics.jsonl; drawn are those with an evaluation, the MEASURES
               of "train" and "test", None where undefined
    complete   "P0-dice" ... -> the same measures of the finished detector on all images with lesions

    A detector without a history has empty panels that say so. The rows of one loss function have one scale; the values
    of different loss functions cannot be compared.
    """
    figure = new_figure(13, 15)
    panels = figure.subplots(len(MEASURES) * len(LOSSES), len(GROUPS), squeeze=False, sharex=True, sharey="row")
    rows = [(measure, loss) for measure in MEASURES for loss in LOSSES]
    for (measure, loss), row in zip(rows, panels, strict=True):
        for group, axes in zip(GROUPS, row, strict=True):
            name = detector_name(group, loss)
            _panel(axes, measure, histories.get(name, ()), complete.get(name, {}))
        if measure != "loss":
            row[0].set(ylim=(-0.06, 1.06), yticks=(0, 0.5, 1))
        label = measure.replace("_", "\n")
        row[0].set_ylabel(f"{label}\n{LOSS_TITLES[loss]}")
        for axes in row if loss == "ss" else ():
            axes.set_facecolor("#F3F3F3")
    for title, top, bottom in zip(GROUP_TITLES, panels[0], panels[-1], strict=True):
        top.set_title(title, fontweight="bold")
        bottom.set_xlabel("training step")
        whole_steps(bottom)
    figure.align_ylabels()
    _legend(figure)
    return figure


def _panel(axes: Axes, measure: str, history: Sequence[Entry], complete: BySplit) -> None:
    evaluations = [(entry.step, entry.evaluation) for entry in history if entry.evaluation is not None]
    for split, (colour, line, _) in SPLITS.items():
        values = [_nan_if_none(found[split][measure]) for _, found in evaluations]
        axes.plot([step for step, _ in evaluations], values, line, color=colour, linewidth=1.8, marker="o",
                  markersize=2.5)
        result = _nan_if_none(complete.get(split, {}).get(measure))
        axes.axhline(result, color=colour, linewidth=1, linestyle=line, alpha=0.8)
    if not evaluations:
        axes.text(0.5, 0.5, "not trained", transform=axes.transAxes, ha="center", va="center")
    tidy(axes)


def _nan_if_none(value: float | None) -> float:
    return np.nan if value is None else value


def _legend(figure: Figure) -> None:
    kinds = ((1.8, "o", "own group, during training"), (1, "", "complete data set, at the end"))
    handles = [Line2D([], [], color=colour, linestyle=line, linewidth=width, marker=marker, markersize=4,
                      label=f"{name}, {kind}")
               for width, marker, kind in kinds for colour, line, name in SPLITS.values()]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=10, frameon=False)
