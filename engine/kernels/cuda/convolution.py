"""Convolutions on a GPU: the plain kernel, which takes every size, stride and padding."""
from __future__ import annotations

from collections.abc import Callable

from engine.arrays import Array
from engine.kernels.activations import relu
from engine.kernels.convolution import Pair, correlate, output_size
from engine.kernels.cuda.arrays import c_type, contiguous, empty
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.registration import on_cuda

THREADS = 128


@on_cuda(correlate)
def _(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: tuple[Pair, Pair],
      activation: Callable[[Array], Array] | None = None) -> Array:
    x, kernel, bias = contiguous(x), contiguous(kernel), None if bias is None else contiguous(bias)
    n, height, width, channels = x.shape
    out_height, out_width = (output_size(x.shape[1 + axis], kernel.shape[axis], stride[axis], padding[axis])
                             for axis in (0, 1))
    y = empty((n, out_height, out_width, kernel.shape[3]), x)
    fused = "true" if activation is relu else "false"
    launch(f"convolution.correlate<{c_type(x)}, {fused}>", blocks(y.size, THREADS), THREADS,
           (x, kernel, bias, y, y.size, height, width, channels, *kernel.shape[:2], out_height, out_width,
            kernel.shape[3], *stride, padding[0][0], padding[1][0]))
    return activation(y) if activation and activation is not relu else y
