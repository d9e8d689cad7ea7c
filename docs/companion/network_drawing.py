"""A small perceptron as circles and lines, with a number in every circle and on every line."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from companion.figures import BLACK, BLUE, GREY, VERMILION

RADIUS = 0.2
BESIDE = 0.25  # of a line's length: there its number stands, before lines begin to cross


def draw_network(axis: Axes, columns: dict[str, np.ndarray], lines: list[np.ndarray]) -> None:
    """columns: what stands above each layer, and the numbers in its circles, one sample; lines: (I, O) between them.

    A line is blue where its number is positive, vermilion and dashed where it is negative, and thin grey where it is 0.
    """
    places = [np.linspace(0, 1 - len(values), len(values)) + (len(values) - 1) / 2 for values in columns.values()]
    for column, matrix in enumerate(lines):
        for (i, o), value in np.ndenumerate(matrix):
            start, end = places[column][i], places[column + 1][o]
            color, style = (GREY, ":") if value == 0 else (BLUE, "-") if value > 0 else (VERMILION, "--")
            axis.plot((2 * column, 2 * column + 2), (start, end), color=color, linestyle=style, linewidth=1.2, zorder=1)
            axis.text(2 * (column + BESIDE), start + BESIDE * (end - start), _number(value), color=color, fontsize=8,
                      ha="center", va="center", zorder=2, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    for column, (name, values) in enumerate(columns.items()):
        axis.text(2 * column, max(map(max, places)) + 0.5, name, ha="center", va="center", fontsize=10)
        for place, value in zip(places[column], values, strict=True):
            axis.add_patch(plt.Circle((2 * column, place), RADIUS, facecolor="white", edgecolor=BLACK, zorder=3))
            axis.text(2 * column, place, _number(value), ha="center", va="center", fontsize=10, zorder=4)
    axis.set(xlim=(-0.5, 2 * len(columns) - 1.5), ylim=(min(map(min, places)) - 0.4, max(map(max, places)) + 0.7),
             aspect="equal")
    axis.axis("off")


def _number(value: float) -> str:
    return f"{value + 0.0:g}".replace("-", "−")
