"""The kernels of a convolution on a GPU, from the plain one to tensor cores: what each takes, and how it is launched.

Every rung is called with contiguous arrays and gives sigma(x * W + b), where sigma is ReLU or nothing.
"""
from __future__ import annotations

from collections.abc import Callable
from math import prod

from engine.arrays import Array
from engine.kernels.convolution import Pair, output_size
from engine.kernels.cuda.arrays import c_type, empty
from engine.kernels.cuda.launch import blocks, launch

Padding = tuple[Pair, Pair]
Rung = Callable[[Array, Array, "Array | None", Pair, Padding, bool], Array]
WIDE = 64  # output channels of a block of the third rung
TF32_HIGH, TF32_DEEP, TF32_STAGES = 128, 32, 3
FIRST_HIGH, FIRST_WIDE = 8, 32


def places(x: Array, kernel_size: Pair, stride: Pair, padding: Padding) -> Pair:
    """Rows and columns of the output."""
    rows, columns = (output_size(x.shape[1 + axis], kernel_size[axis], stride[axis], padding[axis])
                     for axis in (0, 1))
    return rows, columns


def width(*arrays: Array) -> int:
    """How many numbers a thread may read at once along the last axis of all of these: 4 or 1."""
    return 4 if all(each.shape[-1] % 4 == 0 and _begins_at_16_bytes(each) for each in arrays) else 1


def _begins_at_16_bytes(array: Array) -> bool:
    return getattr(array.data, "ptr", 0) % 16 == 0  # only CuPy's have it; a launch on the CPU copies to such a place


def plain(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """One thread an output."""
    y = empty((x.shape[0], *places(x, kernel.shape[:2], stride, padding), kernel.shape[3]), x)
    launch(f"convolution.correlate<{c_type(x)}, {_word(relu)}>", blocks(y.size, 128), 128,
           (x, kernel, bias, y, y.size, *x.shape[1:], *kernel.shape[:2], *y.shape[1:], *stride, padding[0][0],
            padding[1][0]))
    return y


def tiles(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """Tiles of 16 x 16 in shared memory, one thread an output."""
    return _product(f"tiles.correlate_tiles<{c_type(x)}, {_word(relu)}>", (16, 16), 256,
                    (x, kernel, bias, stride, padding))


def registers(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """Tiles of 128 x 64 (float64: 64 x 64), a thread 64 or 32 outputs."""
    instance = f"correlate_registers<{c_type(x)}, {width(x, kernel)}, {_word(relu)}>"
    return _product(f"registers.{instance}", (128 if x.dtype.itemsize == 4 else 64, WIDE), 128,
                    (x, kernel, bias, stride, padding))


def tf32(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """On tensor cores; for float32 where `width(x, kernel)` is 4."""
    wide = tf32_width(kernel.shape[3])
    return _product(f"tf32.correlate_tf32<{wide}, {_word(relu)}>", (TF32_HIGH, wide), 256,
                    (x, kernel, bias, stride, padding),
                    4 * TF32_STAGES * (TF32_HIGH * (TF32_DEEP + 4) + TF32_DEEP * (wide + 8)))


def tf32_width(outputs: int) -> int:
    """Output channels of a block on tensor cores."""
    return 64 if outputs <= 64 else 128


def first(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """For 3x3 kernels of stride 1 on images of one or two channels: x is read once."""
    out_height, out_width = places(x, (3, 3), (1, 1), padding)
    y = empty((x.shape[0], out_height, out_width, kernel.shape[3]), x)
    launch(f"convolution_first.correlate_first<{c_type(x)}, {x.shape[3]}, {_word(relu)}>",
           x.shape[0] * blocks(out_height, FIRST_HIGH) * blocks(out_width, FIRST_WIDE), 256,
           (x, kernel, bias, y, *x.shape[1:3], *y.shape[1:], padding[0][0], padding[1][0]))
    return y


def _product(kernel_name: str, tile: Pair, threads: int,
             arguments: tuple[Array, Array, Array | None, Pair, Padding], shared_bytes: int = 0) -> Array:
    """A launch of the implicit product of matrices: (pixels, depth) by (depth, outputs), tile by tile."""
    x, kernel, bias, stride, padding = arguments
    kernel_height, kernel_width, channels, outputs = kernel.shape
    y = empty((x.shape[0], *places(x, (kernel_height, kernel_width), stride, padding), outputs), x)
    pixels = prod(y.shape[:3])
    launch(f"convolution_{kernel_name}", blocks(pixels, tile[0]) * blocks(outputs, tile[1]), threads,
           (x, kernel, bias, y, pixels, *x.shape[1:], kernel_width, kernel_height * kernel_width * channels,
            *y.shape[1:], *stride, padding[0][0], padding[1][0]), shared_bytes)
    return y


def _word(value: bool) -> str:
    return "true" if value else "false"
