"""Figure 4.4: where the detectors see a lesion, and where it is annotated."""
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.configuration.detector import LOSSES
from experiments.detectors.network import detector_name
from experiments.evaluation.metrics import precision
from experiments.evaluation.segmentation import overlap, pixel_counts
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.figures.roi_grid import GROUP_TITLES, LOSS_TITLES
from experiments.reporting.figures.style import LIGHT_BLUE, LIGHT_GREEN, draw_border, new_figure, png, show_image


@dataclass(frozen=True)
class Detection:
    """A mammogram as the network sees it, (side, side) in [0, 1], the predicted and the annotated mask, both bool."""

    image: np.ndarray
    predicted: np.ndarray
    annotated: np.ndarray


def borders_figure(detections: Mapping[str, Detection]) -> bytes:
    """`borders` as a PNG file."""
    return png(borders(detections))


def borders(detections: Mapping[str, Detection]) -> Figure:
    """A row for each loss function, a column for each group: an example for each of "P0-dice" ... "P4-ss".

    The predicted border is green and solid, the annotated one blue and dashed. Below each stand the overlap
    coefficient of (4.1) and the precision, for a mask that covers everything overlaps with 1. A detector without an
    example has an empty place.
    """
    figure = new_figure(13, 6.4)
    panels = figure.subplots(len(LOSSES), len(GROUPS), squeeze=False)
    for row, loss in zip(panels, LOSSES, strict=True):
        row[0].set_ylabel(LOSS_TITLES[loss], fontsize=12, fontweight="bold")
        for axes, group in zip(row, GROUPS, strict=True):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            detection = detections.get(detector_name(group, loss))
            if detection is None:
                axes.text(0.5, 0.5, "no example", transform=axes.transAxes, ha="center", va="center")
                continue
            show_image(axes, detection.image)
            draw_border(axes, detection.annotated, LIGHT_BLUE, "dashed")
            draw_border(axes, detection.predicted, LIGHT_GREEN)
            axes.set_xlabel(_quality(detection))
    for axes, title in zip(panels[0], GROUP_TITLES, strict=True):
        axes.set_title(title, fontweight="bold")
    handles = [Line2D([], [], color=LIGHT_GREEN, linewidth=2.5, label="predicted border"),
               Line2D([], [], color=LIGHT_BLUE, linewidth=2.5, linestyle="dashed", label="annotated border")]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=11, frameon=False)
    return figure


def _quality(detection: Detection) -> str:
    if not detection.predicted.any():
        return "nothing predicted"
    masks = detection.predicted[None], detection.annotated[None]
    return f"overlap {overlap(*masks)[0]:.2f}, precision {precision(pixel_counts(*masks)):.2f}"
