"""Free-response ROC curves: the share of the lesions found, over the false marks in an image."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.typing import LineStyleType

from experiments.configuration.detector import LOSSES
from experiments.detectors.network import detector_name
from experiments.evaluation.froc import RATES, Froc
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.figures.roi_grid import LOSS_TITLES
from experiments.reporting.figures.style import BLUE, GREEN, GREY, PURPLE, VERMILLION, new_figure, png, tidy

Style = tuple[str, LineStyleType, str]  # colour, line, marker
STYLES: dict[str, Style] = {
    "P0": (BLUE, "-", "o"), "P1": (VERMILLION, "--", "s"), "P2": (GREEN, "-.", "^"),
    "P3": (PURPLE, ":", "D"), "P4": (GREY, (0, (5, 1, 1, 1, 1, 1)), "v")}


def froc_figure(found: Mapping[str, Mapping[str, Froc]]) -> bytes:
    """`froc_curves` as a PNG file."""
    return png(froc_curves(found))


def froc_curves(found: Mapping[str, Mapping[str, Froc]]) -> Figure:
    """found: title of a set of images -> "P0-dice" ... "P4-ss" -> its curve there.

    A row for each set, a column for each loss function. The mark at the end of a curve is the detector's masks as they
    are, with the 95 % intervals by patient of both figures. Axes end where the longest of these does, at twice the
    largest rate of the tables at most.
    """
    figure = new_figure(10.4, 0.5 + 4.3 * len(found))
    panels = figure.subplots(len(found), len(LOSSES), squeeze=False, sharey=True)
    for row, (title, detectors) in zip(panels, found.items(), strict=True):
        end = min(2 * RATES[-1], 1.05 * max([1.0, *map(_reach, detectors.values())]))
        for loss, axes in zip(LOSSES, row, strict=True):
            for group in GROUPS:
                curve = detectors.get(detector_name(group, loss))
                if curve is not None and curve.curve:
                    _draw(axes, curve, group)
            axes.set(xlim=(-0.02 * end, end), ylim=(-0.03, 1.03), xlabel="false marks in an image",
                     title=f"{LOSS_TITLES[loss]}: {title}")
            tidy(axes)
        row[0].set_ylabel("share of the lesions found")
    handles = [Line2D([], [], color=colour, linestyle=line, linewidth=1.8, marker=marker, markersize=6,
                      label=f"detector {group}") for group, (colour, line, marker) in STYLES.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(GROUPS), fontsize=10, frameon=False)
    return figure


def _reach(found: Froc) -> float:
    """How far to the right it is drawn."""
    end = found.all_marks
    return end.false_positives if end.false_positives_ci is None else end.false_positives_ci[1]


def _draw(axes: Axes, found: Froc, group: str) -> None:
    colour, line, marker = STYLES[group]
    false, sensitivity = np.array(found.curve).T
    axes.step(false, sensitivity, where="post", color=colour, linestyle=line, linewidth=1.8)
    end = found.all_marks
    x, y = end.false_positives, end.sensitivity
    if y is None:
        return
    errors = [None if ci is None else [[value - ci[0]], [ci[1] - value]]
              for value, ci in ((x, end.false_positives_ci), (y, end.sensitivity_ci))]
    axes.errorbar([x], [y], xerr=errors[0], yerr=errors[1], fmt=marker, color=colour, markersize=6, linewidth=0.9,
                  capsize=2, alpha=0.9)
