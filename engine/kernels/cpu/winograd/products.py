"""The products of the 36 places, in the sizes that the BLAS library at hand is good at.

BLAS rearranges ("packs") both factors of a product, which costs short ones as much as the product itself. OpenBLAS's
kernels for AVX-512 do without where a product has at most a million multiplications, and reach there, on slices of 64
channels that lie side by side, half as much again as with packing. Its other kernels (Haswell, Zen) have no such way,
and no other library is known to: there products are as large as the blocks allow.
"""
from __future__ import annotations

from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

SMALL_PRODUCT = 1_000_000
WITHOUT_PACKING = ("SkylakeX", "Cooperlake", "Sapphirerapids")
SLICE = 64


@cache
def small_products() -> bool:
    """Whether small products are faster than large ones, as the name of the BLAS library's kernel tells."""
    libraries = ThreadpoolController().select(internal_api="openblas").info()
    return any(library.get("architecture") in WITHOUT_PACKING for library in libraries)


def width(channels: int) -> int:
    """Channels of a slice: SLICE where small products are faster and it divides them, all otherwise."""
    return SLICE if channels % SLICE == 0 and small_products() else channels


def most_tiles(channels: int, outputs: int, most: int) -> int:
    """At most so many tiles, of which V' Z is a small product where these are faster."""
    return min(most, SMALL_PRODUCT // (width(channels) * width(outputs))) if small_products() else most


def multiply(V: np.ndarray, U: np.ndarray, M: np.ndarray) -> None:
    """M = V U. V: (..., 1, tiles, C), U: (..., slices, C, outputs of a slice), M: (..., slices, tiles, outputs)."""
    tiles, channels, outputs = V.shape[-2], *U.shape[-2:]
    small = outputs <= SLICE and small_products()
    products = -(-tiles * channels * outputs // SMALL_PRODUCT) if small else 1
    step = -(-tiles // products)
    for some in (slice(0, tiles // step * step), slice(tiles // step * step, tiles)):
        if some.start < some.stop:
            v, m = (array[..., some, :] for array in (V, M))
            v, m = (array.reshape(*array.shape[:-2], -1, min(step, v.shape[-2]), array.shape[-1]) for array in (v, m))
            np.matmul(v, U[..., None, :, :], out=m)


def multiply_transposed(V: np.ndarray, Z: np.ndarray, out: np.ndarray) -> None:
    """V' Z. V: (..., slices of V, tiles, channels of a slice), Z likewise; out: (..., slices of V, of Z, C, C)."""
    np.matmul(V.swapaxes(-1, -2)[..., None, :, :], Z[..., None, :, :, :], out=out)
