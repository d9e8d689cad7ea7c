"""The product of two matrices: definition, on any array library."""
from __future__ import annotations

from functools import singledispatch

from engine.layer import Array


@singledispatch
def matrix_product(a: Array, b: Array) -> Array:
    """a b. a: (M, K), b: (K, N)."""
    return a @ b
