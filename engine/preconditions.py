"""What a layer may rely on: arrays of floats that are not empty, dy in the shape of y; and errors that name the layer.

A layer calls expect_input (engine.layers.shapes) first in forward and expect_gradient first in backward; a layer made
of layers reports their errors by `within`. All look at shapes and dtypes, never at numbers: they cost nothing beside a
pass.
"""
from __future__ import annotations

from typing import Any

FLOATING = ("float32", "float64", "complex128")  # complex: for complex-step differentiation


class LayerError(ValueError):
    """The ValueError of a layer inside another, led by its path: "block.conv_2a: the input is ..."."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path, self.message = path, message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def within(name: str, error: ValueError) -> LayerError:
    """The error of the layer `name` as the layer around it reports it: the place in the code stays the first one's.

    In a layer made of layers:

        try:
            y, saved = layer.forward(x, run)
        except ValueError as error:
            raise within(name, error) from None
    """
    path, message = (f"{name}.{error.path}", error.message) if isinstance(error, LayerError) else (name, str(error))
    return LayerError(path, message).with_traceback(error.__traceback__)


def expect_floating(name: str, array: Any) -> None:
    """Raises ValueError unless the array's numbers are ones that gradients are computed with.

    Integers wrap round (the mean of uint8 pixels) and have no derivative; float16 overflows at 65504, and batch norm's
    sums reach that soon.
    """
    dtype = str(getattr(array, "dtype", type(array).__name__)).rpartition(".")[2]
    if dtype not in FLOATING:
        raise ValueError(f"{name} is {dtype}; expected float32 or float64: convert it first, "
                         "array.astype(\"float32\"), and bring pixels to [0, 1]")


def expect_gradient(dy: Any, shape: tuple[int, ...]) -> None:
    """Raises ValueError unless dy can be the gradient w.r.t. an output of this shape."""
    if tuple(dy.shape) != tuple(shape):
        raise ValueError(f"dy is {tuple(dy.shape)} and the output was {tuple(shape)}: expected dy = dL/dy in the shape "
                         "of y. Was it computed from another batch, or summed over an axis?")
    expect_floating("dy", dy)
