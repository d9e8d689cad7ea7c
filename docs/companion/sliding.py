"""One array that slides over another: the picture of it, and the sum of products written out."""
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from companion.figures import BLACK, BLUE, VERMILION, matrix


def number(value: float, negative_in_brackets: bool = False) -> str:
    """A number as one would write it by hand: 3, −2, 1/4, and (−2) after a multiplication sign."""
    fraction = Fraction(value).limit_denominator(10_000)
    text = str(fraction) if abs(float(fraction) - float(value)) < 1e-12 else f"{value:.4g}"
    text = text.replace("-", "−")
    return f"({text})" if negative_in_brackets and text.startswith("−") else text


def products(first: np.ndarray, second: np.ndarray) -> str:
    """"1·2 + 0·(−1) + ...": every product of two arrays of one shape, row by row."""
    pairs = zip(np.ravel(first), np.ravel(second), strict=True)
    return " + ".join(f"{number(a, True)}·{number(b, True)}" for a, b in pairs)


def slide(axis: Axes, below: np.ndarray, above: np.ndarray, corner: tuple[int, int], title: str = "",
          inner: tuple[int, int, int, int] | None = None) -> None:
    """Draw `below` with `above` lying on it: its numbers, as factors, stand in the corners of the cells that it covers.

    below: (H, W); above: (h, w), its upper left number at `corner` (row, column). inner: (first row, first column,
    rows, columns) of a block that a dashed line is drawn around, such as an image inside its padding.
    """
    matrix(axis, below, title)
    for (u, v), factor in np.ndenumerate(above):
        axis.text(corner[1] + v + 0.46, corner[0] + u + 0.42, f"×{number(factor)}", ha="right", va="bottom",
                  fontsize=8, color=VERMILION, weight="bold",
                  path_effects=[withStroke(linewidth=2, foreground="white")])
    axis.add_patch(plt.Rectangle((corner[1] - 0.5, corner[0] - 0.5), above.shape[1], above.shape[0], fill=False,
                                 linewidth=2.5, edgecolor=BLACK, zorder=3, clip_on=False))
    if inner:
        row, column, rows, columns = inner
        axis.add_patch(plt.Rectangle((column - 0.5, row - 0.5), columns, rows, fill=False, linewidth=1.5,
                                     linestyle="--", edgecolor=BLUE, zorder=2, clip_on=False))
