"""How exactly products of float32 arrays are computed on a GPU: in float32, unless less is asked for."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

from engine.arrays import Array

Precision = Literal["fp32", "tf32"]
_precision: ContextVar[Precision] = ContextVar("precision", default="fp32")


@contextmanager
def use_precision(precision: Precision) -> Iterator[None]:
    """Within it, and in the thread that entered it, products of float32 numbers are computed in this precision.

    "fp32": 24 bits of fraction, as everywhere else. "tf32": on tensor cores, which read 11 bits of each factor and add
    in float32; errors of some 5e-4 of a product, several times the speed. Arrays of float64 are computed in float64.
    Raises ValueError for any other word.
    """
    if precision not in get_args(Precision):
        raise ValueError(f"precision is {precision!r}; expected 'fp32' or 'tf32'")
    before = _precision.set(precision)
    try:
        yield
    finally:
        _precision.reset(before)


def takes_tf32(array: Array) -> bool:
    """Whether products of this array may be computed in TF32."""
    return _precision.get() == "tf32" and array.dtype.name == "float32"
