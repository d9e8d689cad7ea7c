"""Max-pooling on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.convolution import Pair, output_size
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.launch import launch
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.cuda.resampling import THREADS, grid_of
from engine.kernels.pooling import max_pool, max_pool_gradient


@on_cuda(max_pool)
def _(x: Array, size: Pair, stride: Pair, places: bool = True) -> tuple[Array, Array | None]:
    x = contiguous(x)
    n, height, width, channels = x.shape
    out_height, out_width = (output_size(x.shape[1 + axis], size[axis], stride[axis], (0, 0)) for axis in (0, 1))
    y = empty((n, out_height, out_width, channels), x)
    place = empty(y.shape, x, "uint8") if places else None
    launch(f"pooling.max_pool<{c_type(x)}, {2 if tuple(size) == (2, 2) else 0}>", grid_of(y.shape), THREADS,
           (x, y, place, n * out_height, out_height, out_width, channels, height, width, *size, *stride))
    return y, place


@on_cuda(max_pool_gradient)
def _(dy: Array, place: Array, shape: tuple[int, ...], size: Pair, stride: Pair) -> Array:
    dy, place = contiguous(dy), contiguous(place)
    n, height, width, channels = shape
    dx = empty((n, height, width, channels), dy)
    launch(f"pooling.max_pool_gradient<{c_type(dy)}>", grid_of(dx.shape), THREADS,
           (dy, place, dx, n * height, *dy.shape[1:3], channels, height, width, *size, *stride))
    return dx
