"""Convolutions of few pixels and many channels, where reading the kernel is most of the work.

The last layers of a network see 8 x 8 pixels through kernels of millions of numbers, which lie in memory as a matrix
(C, O) for each of their places, or, rotated for backward, as its transpose. BLAS takes either as it lies: a product for
each place, added up, copies nothing of the kernel. In one product of columns (see direct.py) the places would have to
lie one below the other, and a rotated kernel copied. Its gradient likewise is written where it belongs, once.
"""
from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from engine.kernels.convolution import Pair, pad
from engine.kernels.cpu.activations import apply
from engine.kernels.cpu.direct import Geometry
from engine.kernels.cpu.threads import blocks, run, scratch

# With fewer channels the product of a place is too thin for BLAS.
LEAST_CHANNELS = 64
# Outputs, or for the gradient channels, of a job, at most: two jobs at least.
JOB = 256


def fit(shape: tuple[int, ...], kernel: tuple[int, ...], stride: Pair, padding: tuple[Pair, Pair]) -> bool:
    """Whether this is faster than the direct way. shape: (N, H, W, C); kernel: (KH, KW, C, O)."""
    if shape[3] < LEAST_CHANNELS:
        return False
    geometry = Geometry(shape, kernel[:2], stride, padding)  # type: ignore[arg-type]
    return len(geometry.blocks(4, kernel[3])) == 1 and prod(geometry.out_size) > 0


def correlate(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, stride: Pair, padding: tuple[Pair, Pair],
              activation: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
    """`engine.kernels.correlate`, for every dtype."""
    pixels = _under_each_place(x, kernel.shape[:2], stride, padding)
    matrices = kernel.reshape(-1, *kernel.shape[2:])  # a view, of a rotated kernel, too
    dtype = np.result_type(x, kernel) if bias is None else np.result_type(x, kernel, bias)
    y = np.empty((*pixels.shape[1:4], kernel.shape[3]), dtype)
    flat = y.reshape(-1, kernel.shape[3])

    def job(part: slice) -> None:
        out = flat[:, part]
        products = scratch("products of places", (len(matrices), *out.shape), dtype)
        np.matmul(pixels.reshape(len(matrices), len(flat), -1), matrices[:, :, part], out=products)
        np.add.reduce(products, 0, out=out)
        if bias is not None:
            out += bias[part]
        if activation is not None:
            apply(activation, out)

    run(job, _jobs(kernel.shape[3]))
    return y


def kernel_gradient(x: np.ndarray, da: np.ndarray, kernel_size: Pair, stride: Pair,
                    padding: tuple[Pair, Pair]) -> np.ndarray:
    """`engine.kernels.correlate_kernel_gradient`, for every dtype."""
    pixels = _under_each_place(x, kernel_size, stride, padding)
    places, channels, outputs = len(pixels), x.shape[3], da.shape[3]
    columns, rows = pixels.reshape(places, -1, channels).transpose(0, 2, 1), da.reshape(-1, outputs)
    dW = np.empty((places, channels, outputs), np.result_type(x, da))
    run(lambda part: np.matmul(columns[:, part], rows, out=dW[:, part]), _jobs(channels))
    return dW.reshape(*kernel_size, channels, outputs)


def _jobs(size: int) -> list[slice]:
    return blocks(size, min(JOB, -(-size // 2)))


def _under_each_place(x: np.ndarray, kernel_size: Pair, stride: Pair, padding: tuple[Pair, Pair]) -> np.ndarray:
    """The pixels that each place of the kernel meets: (KH KW, N, OH, OW, C), in the calling thread's work space."""
    height, width = Geometry(x.shape, kernel_size, stride, padding).out_size
    pixels = scratch("pixels under places", (prod(kernel_size), len(x), height, width, x.shape[3]), x.dtype)
    padded = pad(x, padding)
    for place, (u, v) in enumerate(np.ndindex(*kernel_size)):
        np.copyto(pixels[place], padded[:, u:u + stride[0] * height:stride[0], v:v + stride[1] * width:stride[1]])
    return pixels
