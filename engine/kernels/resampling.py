"""Pixels repeated, and the gradient of that: definitions, on any array library."""
from __future__ import annotations

from functools import singledispatch

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels.floating import of_floating


@singledispatch
def upsample(x: Array, factor: int) -> Array:
    """y[n,i,j,c] = x[n, i // factor, j // factor, c]. x: (N, H, W, C); y: (N, factor H, factor W, C)."""
    xp = array_namespace(x)
    return xp.repeat(xp.repeat(x, factor, axis=1), factor, axis=2)


@of_floating(1)
@singledispatch
def upsample_gradient(dy: Array, factor: int) -> Array:
    """dx: dy summed over the copies of every pixel. dy: (N, factor H, factor W, C); dx: (N, H, W, C)."""
    n, height, width, channels = dy.shape
    xp = array_namespace(dy)
    copies = xp.reshape(dy, (n, height // factor, factor, width // factor, factor, channels))
    return xp.sum(copies, axis=(2, 4))
