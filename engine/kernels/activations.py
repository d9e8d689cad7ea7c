"""ReLU and its gradient: definitions, on any array library."""
from __future__ import annotations

from functools import singledispatch

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels.complex_step import real
from engine.kernels.floating import of_floating
from engine.kernels.normalization import channel_sums


@singledispatch
def relu(a: Array) -> Array:
    """max(a, 0), element by element; for complex numbers (complex-step differentiation) the real part decides."""
    xp = array_namespace(a)
    if xp.isdtype(a.dtype, "complex floating"):
        return xp.where(real(a) > 0, a, xp.zeros_like(a))
    return xp.maximum(a, xp.asarray(0, dtype=a.dtype))


@of_floating(2)
@singledispatch
def relu_gradient(do: Array, o: Array) -> tuple[Array, Array]:
    """da = do . [o > 0], and its sums over all but the channels. do, o, da: (..., C); the sums: (C,)."""
    da = do * array_namespace(o).astype(real(o) > 0, do.dtype)
    return da, channel_sums(da)
