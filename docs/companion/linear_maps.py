"""Layers as matrices: what forward and backward do to every unit image."""
import numpy as np
from matplotlib.axes import Axes

from companion.figures import GREY
from companion.sliding import number
from engine.layer import Layer, Run


def forward_matrix(layer: Layer, shape: tuple[int, ...]) -> np.ndarray:
    """The matrix of a linear layer without its bias: (outputs, inputs); column k is the answer to unit image k.

    shape: that of one input, (1, H, W, C). Images are read row by row.
    """
    size = int(np.prod(shape))
    zero = layer.forward(np.zeros(shape), Run())[0].ravel()
    return np.stack([layer.forward(unit.reshape(shape), Run())[0].ravel() - zero for unit in np.eye(size)], axis=1)


def backward_matrix(layer: Layer, x: np.ndarray) -> np.ndarray:
    """The matrix of backward at x: (inputs, outputs); column k is dx for the gradient that is 1 at output k, else 0."""
    y, saved = layer.forward(x, Run())
    return np.stack([layer.backward(unit.reshape(y.shape), saved)[0].ravel() for unit in np.eye(y.size)], axis=1)


def draw(axis: Axes, values: np.ndarray, title: str, into: tuple[int, int], out_of: tuple[int, int]) -> None:
    """A map's matrix with its numbers, zeros left empty; lines part the rows of the images `into` and `out_of` (H, W).

    values: (H W of into, H W of out_of).
    """
    reach = float(np.abs(values).max())
    axis.imshow(values, cmap="PuOr", vmin=-2.5 * reach, vmax=2.5 * reach)
    for (i, j), value in np.ndenumerate(values):
        if value:
            axis.text(j, i, number(value), ha="center", va="center", fontsize=8)
    for k in range(1, into[0]):
        axis.axhline(k * into[1] - 0.5, color=GREY, linewidth=0.8)
    for k in range(1, out_of[0]):
        axis.axvline(k * out_of[1] - 0.5, color=GREY, linewidth=0.8)
    axis.set_xticks(range(values.shape[1]), [f"{j // out_of[1]},{j % out_of[1]}" for j in range(values.shape[1])],
                    fontsize=6.5, color=GREY)
    axis.set_yticks(range(values.shape[0]), [f"{i // into[1]},{i % into[1]}" for i in range(values.shape[0])],
                    fontsize=6.5, color=GREY)
    axis.tick_params(length=0)
    axis.set_xlabel("pixel of x (row, column)", fontsize=8)
    axis.set_ylabel("pixel of y", fontsize=8)
    axis.set_title(title, fontsize=10)
