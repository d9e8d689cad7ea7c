"""What the five ROI detectors of a decomposition mark in a mammogram: the second channel of (4.2)."""
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from experiments.reporting.figures.style import add_texts, new_figure, png, show_image

DETECTORS = 5
COLOURS = ListedColormap(["black", *colormaps["plasma"](np.linspace(0.25, 1, DETECTORS))])
SCALE = BoundaryNorm(np.arange(DETECTORS + 2) - 0.5, COLOURS.N)


def overlay_figure(image: np.ndarray, heat_map: np.ndarray, title: str, note: str = "") -> bytes:
    """`overlay` as a PNG file."""
    return png(overlay(image, heat_map, title, note))


def overlay(image: np.ndarray, heat_map: np.ndarray, title: str, note: str = "") -> Figure:
    """The mammogram (side, side) in [0, 1], the heat map (side, side) of whole numbers from 0 to 5, and one over the
    other; pixels that no detector marks are not coloured there. title and note: as `add_texts` takes them."""
    figure = new_figure(13, 4.2)
    plain, alone, both = figure.subplots(1, 3)
    add_texts(figure, title, note)
    for axes in (plain, both):
        show_image(axes, image)
    counts = alone.imshow(heat_map, cmap=COLOURS, norm=SCALE, interpolation="nearest")
    draw_marks(both, heat_map)
    for axes, name in ((plain, "mammogram"), (alone, "heat map of the ROI masks"), (both, "both")):
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize=10)
    add_bar(figure, counts, cax=both.inset_axes((1.03, 0, 0.05, 1)))
    return figure


def draw_marks(axes: Axes, heat_map: np.ndarray) -> None:
    """The heat map (side, side) over a mammogram of that size, where it is not 0."""
    axes.imshow(np.ma.masked_equal(heat_map, 0), cmap=COLOURS, norm=SCALE, alpha=0.55, interpolation="nearest")


def add_bar(figure: Figure, counts: ScalarMappable, **place: Any) -> None:
    """What the colours of COLOURS and SCALE mean. place: as matplotlib's `Figure.colorbar` takes it."""
    bar = figure.colorbar(counts, ticks=range(DETECTORS + 1), **place)
    bar.set_label("detectors that mark the pixel")
