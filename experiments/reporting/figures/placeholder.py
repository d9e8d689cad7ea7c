"""Figure A.1: samples of the synthetic placeholder data, images above, their annotations below."""
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.reporting.figures.style import new_figure, png, show_image

ROWS = 2  # of images, and as many of annotations


def placeholder_figure(images: Sequence[np.ndarray], masks: Sequence[np.ndarray], titles: Sequence[str]) -> bytes:
    """`placeholder` as a PNG file."""
    return png(placeholder(images, masks, titles))


def placeholder(images: Sequence[np.ndarray], masks: Sequence[np.ndarray], titles: Sequence[str]) -> Figure:
    """2 C images (H, W) in [0, 1], their masks (H, W) bool, and what to call them, C columns: the mask of the image in
    row r stands in row r + 2."""
    columns = -(-len(images) // ROWS)
    height, width = images[0].shape
    figure = new_figure(2 * columns, 2 * (2 * ROWS) * height / width + 0.6)
    panels = figure.subplots(2 * ROWS, columns, squeeze=False)
    for axes in panels.ravel():
        axes.set_axis_off()
    upper, lower = panels[:ROWS].ravel(), panels[ROWS:].ravel()
    for above, below, image, mask, title in zip(upper, lower, images, masks, titles, strict=False):
        for axes, picture in ((above, image), (below, mask)):
            axes.set_axis_on()
            show_image(axes, picture)
        above.set_title(title, fontsize=10)
    return figure
