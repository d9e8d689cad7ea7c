"""The kernel gradient of a convolution on a GPU, (3.42): its kernels, and the parts that its pixels are split into.

The parts depend on the shapes alone, not on the GPU, and are added up in their order: same numbers, same bits.
"""
from __future__ import annotations

from collections.abc import Callable
from math import prod

from engine.arrays import Array
from engine.kernels.convolution import Pair
from engine.kernels.cuda.arrays import c_type, empty
from engine.kernels.cuda.convolution_parts import add_parts, length_of_part
from engine.kernels.cuda.convolution_rungs import TF32_DEEP, TF32_HIGH, TF32_STAGES, Padding, tf32_width, width
from engine.kernels.cuda.launch import blocks, launch

Rung = Callable[[Array, Array, Pair, Pair, Padding], Array]
WIDE = 64  # output channels of a block of registers
BLOCKS = 512  # enough for the largest GPUs: 132 multiprocessors with some four blocks each


def plain(x: Array, da: Array, kernel_size: Pair, stride: Pair, padding: Padding) -> Array:
    """One thread a weight of a part."""
    weights = prod(kernel_size) * x.shape[3] * da.shape[3]
    return _in_parts(f".kernel_gradient<{c_type(x)}>", (blocks(weights, 128), 1), 128,
                     (x, da, kernel_size, stride, padding))


def registers(x: Array, da: Array, kernel_size: Pair, stride: Pair, padding: Padding) -> Array:
    """Tiles of 128 x 64 (float64: 64 x 64) weights, a thread 64 or 32 of them."""
    high = 128 if x.dtype.itemsize == 4 else 64
    return _in_parts(f"_gradient.gradient_registers<{c_type(x)}, {width(x, da)}>",
                     (blocks(prod(kernel_size) * x.shape[3], high), blocks(da.shape[3], WIDE)), 128,
                     (x, da, kernel_size, stride, padding))


def tf32(x: Array, da: Array, kernel_size: Pair, stride: Pair, padding: Padding) -> Array:
    """On tensor cores; for float32 where `width(x, da)` is 4."""
    wide = tf32_width(da.shape[3])
    return _in_parts(f"_gradient_tf32.gradient_tf32<{wide}>",
                     (blocks(prod(kernel_size) * x.shape[3], TF32_HIGH), blocks(da.shape[3], wide)), 256,
                     (x, da, kernel_size, stride, padding), 4 * TF32_STAGES * TF32_DEEP * (TF32_HIGH + wide + 16))


def _in_parts(kernel: str, tiles: Pair, threads: int, arguments: tuple[Array, Array, Pair, Pair, Padding],
              shared_bytes: int = 0) -> Array:
    x, da, kernel_size, stride, padding = arguments
    pixels, outputs, rows = prod(da.shape[:3]), da.shape[3], prod(kernel_size) * x.shape[3]
    each = length_of_part(pixels, prod(tiles), BLOCKS)
    count = max(1, blocks(pixels, each))
    gradient = empty((*kernel_size, x.shape[3], outputs), x)
    parts = gradient if count == 1 else empty((count, *gradient.shape), x)
    launch(f"convolution{kernel}", (*tiles, count), threads,
           (x, da, parts, pixels, each, *x.shape[1:], kernel_size[1], rows, *da.shape[1:], *stride, padding[0][0],
            padding[1][0]), shared_bytes)
    if count > 1:
        add_parts(parts, None, gradient, False)
    return gradient
