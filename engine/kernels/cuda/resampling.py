"""Pixels repeated, and the gradient of that, on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.launch import MOST_BLOCKS, blocks, launch
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.resampling import upsample, upsample_gradient

THREADS, ROWS_OF_THREAD = 256, 4


@on_cuda(upsample)
def _(x: Array, factor: int) -> Array:
    n, height, width, channels = x.shape
    y = empty((n, height * factor, width * factor, channels), x)
    launch(f"resampling.upsample<{c_type(x)}>", grid_of(y.shape), THREADS,
           (contiguous(x), y, n * height * factor, width, channels, factor))
    return y


@on_cuda(upsample_gradient)
def _(dy: Array, factor: int) -> Array:
    n, height, width, channels = dy.shape
    dx = empty((n, height // factor, width // factor, channels), dy)
    launch(f"resampling.upsample_gradient<{c_type(dy)}>", grid_of(dx.shape), THREADS,
           (contiguous(dy), dx, n * dx.shape[1], dx.shape[2], channels, factor))
    return dx


def grid_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """A thread for every number of a row, and some rows each. shape: (N, H, W, C)."""
    n, height, width, channels = shape
    return blocks(width * channels, THREADS), min(blocks(n * height, ROWS_OF_THREAD), MOST_BLOCKS[1])
