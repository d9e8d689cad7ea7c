"""Pixels repeated on a GPU."""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.resampling import upsample

THREADS = 256


@on_cuda(upsample)
def _(x: Array, factor: int) -> Array:
    x = contiguous(x)
    n, height, width, channels = x.shape
    y = empty((n, height * factor, width * factor, channels), x)
    launch(f"resampling.upsample<{c_type(x)}>", blocks(y.size, THREADS), THREADS,
           (x, y, y.size, width, channels, factor))
    return y
