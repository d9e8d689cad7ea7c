"""What a shortcut does with two tensors, beside each other or added up: definitions, on any array library."""
from __future__ import annotations

from functools import singledispatch

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels.floating import of_floating


@singledispatch
def concatenate(a: Array, b: Array) -> Array:
    """[a, b] along channels. a: (..., A), b: (..., B); the result: (..., A + B)."""
    return array_namespace(a).concat([a, b], axis=-1)


@of_floating(2)
@singledispatch
def add(a: Array, b: Array) -> Array:
    """a + b, of one shape."""
    return a + b
