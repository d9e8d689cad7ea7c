"""Where in a mammogram a small change of the grey level would change the classifier's answer most."""

import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from experiments.reporting.figures.style import add_texts, new_figure, png, show_image

SMOOTHING = 1 / 64  # standard deviation as a part of the side: gradients of neighbouring pixels scatter
UNITS = ("unit of brightness (0 black, 1 white)", "detector that marks the pixel")  # of the input's channels


def strength(gradient: np.ndarray) -> np.ndarray:
    """(side, side, C) gradient -> (side, side, C) float64: of each channel the absolute value, smoothed."""
    sigma = SMOOTHING * gradient.shape[0]
    return gaussian_filter(np.abs(gradient, dtype=np.float64), sigma, axes=(0, 1))


def opacity(values: np.ndarray) -> np.ndarray:
    """0.2 where values >= 0 are 0, rising in a straight line to 1 where they are largest; 0.2 where all are 0.

    The quotient comes first. Of 0.8 values / largest the rounding can be above 0.8, and matplotlib raises for an
    opacity above 1; but x / largest <= 1 holds in floating point, too, and so does each step that follows.
    """
    return 0.2 + 0.8 * (values / (float(values.max()) or 1.0))


def saliency_figure(image: np.ndarray, gradient: np.ndarray, label: str, title: str, note: str = "") -> bytes:
    """`saliency` as a PNG file."""
    return png(saliency(image, gradient, label, title, note))


def saliency(image: np.ndarray, gradient: np.ndarray, label: str, title: str, note: str = "") -> Figure:
    """The mammogram (side, side) in [0, 1], and beside it, over the same, a map for each channel of the input.

    gradient (side, side, C): of the logit of the class `label` with respect to the network's input. The scale of a map
    ends with its largest value: the maps of two images, or of two channels, cannot be compared by their colours alone.
    title and note, above and below: as `add_texts` takes them.
    """
    channels = gradient.shape[-1]
    figure = new_figure(3.6 + 5 * channels, 4)
    panels = figure.subplots(1, 1 + channels)
    add_texts(figure, title, note)
    for axes in panels:
        show_image(axes, image)
    for axes, values, unit in zip(panels[1:], np.moveaxis(strength(gradient), -1, 0), UNITS, strict=False):
        picture = axes.imshow(values, cmap="inferno", vmin=0, vmax=float(values.max()) or 1.0, alpha=opacity(values))
        bar = figure.colorbar(picture, cax=axes.inset_axes((1.03, 0, 0.05, 1)))
        bar.set_label(f"|change of the logit of “{label}”|\nper {unit}", fontsize=9)
    return figure
