"""The gradient of ReLU: definition, on any array library."""
from __future__ import annotations

from functools import singledispatch

from array_api_compat import array_namespace

from engine.kernels.pooling import real
from engine.layer import Array


@singledispatch
def relu_gradient(do: Array, o: Array) -> Array:
    """do . [o > 0]. do, o: of one shape."""
    return do * array_namespace(o).astype(real(o) > 0, do.dtype)
