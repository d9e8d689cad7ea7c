"""The product of two matrices: definition, on any array library."""
from __future__ import annotations

from functools import singledispatch

from engine.arrays import Array
from engine.kernels.floating import of_floating


@of_floating(2)
@singledispatch
def matrix_product(a: Array, b: Array) -> Array:
    """a b. a: (M, K), b: (K, N)."""
    return a @ b
