"""Arguments that are sizes, and the shapes that layers expect."""
from __future__ import annotations

from numbers import Integral
from types import EllipsisType

from engine.arrays import Array
from engine.kernels.convolution import Pair
from engine.preconditions import expect_floating

__all__ = ["Pair", "expect_input", "expect_shape", "pair"]


def pair(value: int | Pair) -> Pair:
    """Rows and columns: 3 -> (3, 3). Raises ValueError unless both are whole numbers of at least 1."""
    sizes = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(sizes) != 2 or not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(f"{value!r} was given; expected a whole number of at least 1 or two of them, (rows, columns)")
    return int(sizes[0]), int(sizes[1])


def expect_shape(x: Array, *expected: int | str | EllipsisType) -> None:
    """Raises ValueError unless x has these axes. A string names an axis of any size, ... any axes in front."""
    given = tuple(x.shape)
    axes = expected[1:] if expected[0] is ... else expected
    sizes = given[len(given) - len(axes):] if expected[0] is ... else given
    if len(sizes) != len(axes) or any(
            isinstance(axis, int) and axis != size for size, axis in zip(sizes, axes, strict=True)):
        names = ", ".join("..." if axis is ... else str(axis) for axis in expected)
        raise ValueError(f"the input is {given}; the layer expects ({names})")


def expect_input(x: Array, *expected: int | str | EllipsisType) -> None:
    """Raises ValueError unless x has these axes (see expect_shape), none of them empty, and holds floats."""
    if not hasattr(x, "shape"):
        raise ValueError(f"the input is a {type(x).__name__}; expected an array: numpy.asarray(x, \"float32\")")
    expect_shape(x, *expected)
    if 0 in x.shape:
        raise ValueError(f"the input is {tuple(x.shape)}, which holds no number; expected at least one sample, row, "
                         "column and channel: leave empty batches out")
    expect_floating("the input", x)
