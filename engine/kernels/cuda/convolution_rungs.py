"""The kernels of a convolution on a GPU, from the plain one to tensor cores: what each takes, and how it is launched.

Every rung is called with contiguous arrays and gives sigma(x * W + b), where sigma is ReLU or nothing.
"""
from __future__ import annotations

from collections.abc import Callable
from math import prod

from engine.arrays import Array
from engine.kernels.convolution import Pair, output_size
from engine.kernels.cuda.arrays import c_type, empty
from engine.kernels.cuda.convolution_parts import MULTIPROCESSORS, add_parts, length_of_part
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
    y = _output(x, kernel, stride, padding)
    launch(f"convolution.correlate<{c_type(x)}, {_word(relu)}>", blocks(y.size, 128), 128,
           (x, kernel, bias, y, y.size, *x.shape[1:], *kernel.shape[:2], *y.shape[1:], *stride, padding[0][0],
            padding[1][0]))
    return y


def tiles(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """Tiles of 16 x 16 in shared memory, one thread an output."""
    y = _output(x, kernel, stride, padding)
    launch(f"convolution_tiles.correlate_tiles<{c_type(x)}, {_word(relu)}>",
           blocks(prod(y.shape[:3]), 16) * blocks(y.shape[3], 16), 256,
           (x, kernel, bias, y, prod(y.shape[:3]), *x.shape[1:], kernel.shape[1], prod(kernel.shape[:3]),
            *y.shape[1:], *stride, padding[0][0], padding[1][0]))
    return y


def registers(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """Tiles of 128 x 64 (float64: 64 x 64), a thread 64 or 32 outputs."""
    high, held = (128, 3) if x.dtype.itemsize == 4 else (64, 2)
    return _product(f"registers.correlate_registers<{c_type(x)}, {width(x, kernel)}", (high, WIDE), 128, held,
                    (x, kernel, bias, stride, padding, relu))


def tf32(x: Array, kernel: Array, bias: Array | None, stride: Pair, padding: Padding, relu: bool) -> Array:
    """On tensor cores; for float32 where `width(x, kernel)` is 4."""
    wide = tf32_width(kernel.shape[3])
    return _product(f"tf32.correlate_tf32<{wide}", (TF32_HIGH, wide), 256, 2,
                    (x, kernel, bias, stride, padding, relu),
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


def _product(kernel_name: str, tile: Pair, threads: int, held: int,
             arguments: tuple[Array, Array, Array | None, Pair, Padding, bool], shared_bytes: int = 0) -> Array:
    """A launch of the implicit product of matrices: (pixels, depth) by (depth, outputs), tile by tile.

    held: blocks that a multiprocessor is sure to hold at the same time, as the kernel's launch bounds say. Where all
    hold at least twice as many as there are tiles, a tile's sum is computed in parts: at most MULTIPROCESSORS * held
    tiles of sums, 17 MB, are kept until they are added.
    """
    x, kernel, bias, stride, padding, relu = arguments
    y = _output(x, kernel, stride, padding)
    pixels, depth = prod(y.shape[:3]), prod(kernel.shape[:3])
    tiles = blocks(pixels, tile[0]) * blocks(y.shape[3], tile[1])
    each = length_of_part(depth, tiles, MULTIPROCESSORS * held)
    count = max(1, blocks(depth, each))
    split = count > 1
    sums = empty((count, *y.shape), x) if split else y
    launch(f"convolution_{kernel_name}, {_word(relu and not split)}>", (tiles, 1, count), threads,
           (x, kernel, None if split else bias, sums, pixels, *x.shape[1:], kernel.shape[1], depth, each,
            *y.shape[1:], *stride, padding[0][0], padding[1][0]), shared_bytes)
    if split:
        add_parts(sums, bias, y, relu)
    return y


def _output(x: Array, kernel: Array, stride: Pair, padding: Padding) -> Array:
    return empty((x.shape[0], *places(x, kernel.shape[:2], stride, padding), kernel.shape[3]), x)


def _word(value: bool) -> str:
    return "true" if value else "false"
