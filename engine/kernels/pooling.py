"""Max-pooling: definitions, on any array library."""
from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from array_api_compat import array_namespace, device

from engine.arrays import Array
from engine.kernels.complex_step import real
from engine.kernels.convolution import Pair, output_size
from engine.kernels.floating import of_floating


def windows(shape: tuple[int, ...], size: Pair, stride: Pair) -> Iterator[tuple[slice, ...]]:
    """Every place (u, v) of a pooling window, as the index of the pixels x[n, s i + u, s j + v, c] that it meets."""
    out_height, out_width = (output_size(shape[1 + axis], size[axis], stride[axis], (0, 0)) for axis in (0, 1))
    for u in range(size[0]):
        for v in range(size[1]):
            yield (slice(None), slice(u, u + stride[0] * (out_height - 1) + 1, stride[0]),
                   slice(v, v + stride[1] * (out_width - 1) + 1, stride[1]), slice(None))


@singledispatch
def max_pool(x: Array, size: Pair, stride: Pair, places: bool = True) -> tuple[Array, Array | None]:
    """y[n,i,j,c] = max over u,v of x[n, s i + u, s j + v, c], and the place KW u + v of the (first) maximum.

    x: (N, H, W, C); y: (N, OH, OW, C), place: the same shape, uint8; None where places are not asked for: backward
    needs them, inference does not. Rows and columns that fill no window are left out.
    A window that holds a NaN gives NaN: it must not vanish in a maximum.
    """
    xp = array_namespace(x)
    y = place = None
    for k, index in enumerate(windows(x.shape, size, stride)):
        x_uv = x[index]
        if y is None:
            y, place = x_uv, xp.zeros(x_uv.shape, dtype=xp.uint8, device=device(x))
        else:
            larger = real(x_uv) > real(y)
            y = xp.where(larger | xp.isnan(x_uv), x_uv, y)
            place = xp.where(larger, xp.asarray(k, dtype=xp.uint8, device=device(x)), place)
    return y, place if places else None


@of_floating(1)
@singledispatch
def max_pool_gradient(dy: Array, place: Array, shape: tuple[int, ...], size: Pair, stride: Pair) -> Array:
    """dx: dy where the maximum sat, 0 elsewhere; windows that overlap add.

    dy, place: (N, OH, OW, C); dx: `shape` = (N, H, W, C).
    """
    xp = array_namespace(dy)
    dx = xp.zeros(shape, dtype=dy.dtype, device=device(dy))
    for k, index in enumerate(windows(shape, size, stride)):
        dx[index] = dx[index] + xp.where(place == k, dy, xp.zeros_like(dy))
    return dx
