"""How the pages draw: one palette, one size, and matrices with their numbers in them."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which people with any kind of colour vision tell apart
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, BLACK, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000", "#666666")
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE)
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))  # a curve is told by its dashes, too


def figure(columns: int = 1, rows: int = 1, width: float = 4.2, height: float = 3.2,
           **how) -> tuple[Figure, np.ndarray]:
    """(figure, axes (rows, columns)) in the pages' size, in inches a panel."""
    drawn, axes = plt.subplots(rows, columns, figsize=(width * columns, height * rows), layout="constrained",
                               squeeze=False, **how)
    return drawn, axes


def matrix(axis: Axes, values: np.ndarray, title: str = "", marked: tuple[tuple[int, int], ...] = (),
           decimals: int = 0) -> None:
    """Draw a matrix as a grid with its numbers; the marked places have a thick frame."""
    values = np.asarray(values) + 0.0  # -0 is shown as 0
    reach = max(float(np.abs(values).max()), 1e-300)
    axis.imshow(values, cmap="PuOr", vmin=-2.5 * reach, vmax=2.5 * reach)  # pale: the numbers are to be read
    for (i, j), value in np.ndenumerate(values):
        axis.text(j, i, f"{value:.{decimals}f}".replace("-", "−"), ha="center", va="center", fontsize=10)
    for i, j in marked:
        axis.add_patch(plt.Rectangle((j - 0.47, i - 0.47), 0.94, 0.94, fill=False, linewidth=2.5, edgecolor=BLACK))
    axis.set_xticks(np.arange(values.shape[1]) - 0.5, [], minor=True)
    axis.set_yticks(np.arange(values.shape[0]) - 0.5, [], minor=True)
    axis.set(xticks=range(values.shape[1]), yticks=range(values.shape[0]), title=title)
    axis.grid(which="minor", color="white", linewidth=2)
    axis.tick_params(which="both", length=0, labelsize=8, labelcolor=GREY)
    axis.spines[:].set_visible(False)
