"""Figure A.2: how the prediction for one image changes while its detector is trained."""
import math

import numpy as np
from matplotlib.figure import Figure

from experiments.reporting.figures.style import LIGHT_BLUE, draw_border, new_figure, png, show_image

COLUMNS = 6


def evolution_figure(steps: np.ndarray, probabilities: np.ndarray, image: np.ndarray, mask: np.ndarray) -> bytes:
    """`evolution` as a PNG file."""
    return png(evolution(steps, probabilities, image, mask))


def evolution(steps: np.ndarray, probabilities: np.ndarray, image: np.ndarray, mask: np.ndarray) -> Figure:
    """The arrays of evolution.npz: the image with the annotated border, then a tile for each step.

    steps (k,) int, probabilities (k, side, side) in [0, 1], image (side, side) in [0, 1], mask (side, side) bool. In
    every tile the annotated border is light blue.
    """
    count = len(steps) + 1
    columns = min(COLUMNS, count)
    rows = math.ceil(count / columns)
    figure = new_figure(2 * columns + 1, 2.3 * rows)
    panels = figure.subplots(rows, columns, squeeze=False)
    titles = ["image and annotation", *(f"step {step}" for step in steps)]
    for axes, title, picture in zip(panels.ravel(), titles, [image, *probabilities.astype(np.float32)], strict=False):
        show_image(axes, picture)
        draw_border(axes, mask, LIGHT_BLUE, width=1)
        axes.set_title(title, fontsize=9)
    for axes in panels.ravel()[count:]:
        axes.set_axis_off()
    bar = figure.colorbar(panels[0, 0].images[0], ax=panels, shrink=0.9, aspect=30)
    bar.set_label("predicted probability of lesion")
    return figure
