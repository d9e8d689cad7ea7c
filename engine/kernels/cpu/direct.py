"""Convolutions of any kernel size and stride as matrix products, one block of output rows at a time.

The pixels under the kernel at each place of a block are copied into the rows of a matrix (its "columns" matrix), small
enough to stay in the cache; one product with the kernel gives the block's output, and bias and activation are applied
while it is there. The columns matrix of a whole batch, 9 times the size of x for a 3x3 kernel, never exists.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.kernels.convolution import Pair, output_size
from engine.kernels.cpu.activations import apply
from engine.kernels.cpu.threads import blocks, parallel, run, scratch

# One block's columns matrix or its output: large enough that the kernel is not re-read for a few rows, small enough for
# the cache.
BLOCK_BYTES = 1 << 20
LEAST_ROWS = 256
# The kernel's gradient is summed in this many parts, whatever the number of threads: the bits do not depend on it.
PARTS = 8
# Where all pixels make one block, as many outputs of the kernel are a job.
OUTPUTS = 128

Block = tuple[slice, slice]


@dataclass(frozen=True)
class Geometry:
    """Where the kernel is placed on x: (N, H, W, C)."""
    shape: tuple[int, int, int, int]
    kernel_size: Pair
    stride: Pair
    padding: tuple[Pair, Pair]

    @property
    def out_size(self) -> Pair:
        """Rows and columns of the output."""
        height, width = (
            output_size(self.shape[1 + axis], self.kernel_size[axis], self.stride[axis], self.padding[axis])
            for axis in (0, 1))
        return height, width

    @property
    def taps(self) -> int:
        """Numbers under the kernel at one place: KH KW C."""
        return self.kernel_size[0] * self.kernel_size[1] * self.shape[3]

    def blocks(self, itemsize: int, outputs: int) -> list[Block]:
        """The output cut into (images, rows): several whole images where they are small, some rows of one otherwise."""
        images, (height, width) = self.shape[0], self.out_size
        pixels = max(LEAST_ROWS, BLOCK_BYTES // (max(self.taps, outputs) * itemsize))
        rows = max(1, min(height, pixels // width))
        together = max(1, pixels // (height * width))
        return [(slice(n, min(n + together, images)), slice(i, min(i + rows, height)))
                for n in range(0, images, together) for i in range(0, height, rows)]

    def columns(self, x: np.ndarray, images: slice, rows: slice) -> np.ndarray:
        """The block's columns matrix: (pixels, KH KW C), in this thread's work space."""
        window = self._windows(self._padded(x[images], rows), rows)
        shape = (images.stop - images.start, rows.stop - rows.start, self.out_size[1], *self.kernel_size, self.shape[3])
        if self.shape[3] * self.kernel_size[1] >= 16:
            columns = scratch("columns", shape, x.dtype)
            np.copyto(columns, window)
            return columns.reshape(-1, self.taps)
        # With few channels a row of the window is too short to copy at speed: copy along the image, give the transpose.
        columns = scratch("columns", shape[3:] + shape[:3], x.dtype)
        np.copyto(columns, window.transpose(3, 4, 5, 0, 1, 2))
        return columns.reshape(self.taps, -1).T

    def _padded(self, x: np.ndarray, rows: slice) -> np.ndarray:
        """The rows of x under the block, zeros around them where the kernel reaches over the edge."""
        (top, _), (left, right) = self.padding
        first = rows.start * self.stride[0] - top
        last = (rows.stop - 1) * self.stride[0] - top + self.kernel_size[0]
        inside = slice(max(first, 0), max(0, min(last, self.shape[1])))
        if first >= 0 and last <= self.shape[1] and not (left or right):
            return x[:, inside]
        padded = scratch("padded", (len(x), last - first, left + self.shape[2] + right, self.shape[3]), x.dtype)
        above = inside.start - first
        below = above + max(0, inside.stop - inside.start)
        padded[:, :above] = 0
        padded[:, below:] = 0
        padded[:, above:below, :left] = 0
        padded[:, above:below, left + self.shape[2]:] = 0
        padded[:, above:below, left:left + self.shape[2]] = x[:, inside]
        return padded

    def _windows(self, padded: np.ndarray, rows: slice) -> np.ndarray:
        n, h, w, c = padded.strides
        return as_strided(
            padded, (len(padded), rows.stop - rows.start, self.out_size[1], *self.kernel_size, self.shape[3]),
            (n, h * self.stride[0], w * self.stride[1], h, w, c), writeable=False)


def correlate(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, stride: Pair, padding: tuple[Pair, Pair],
              activation: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
    """`engine.kernels.correlate`, for every dtype."""
    geometry = Geometry(x.shape, kernel.shape[:2], stride, padding)
    dtype = np.result_type(x, kernel) if bias is None else np.result_type(x, kernel, bias)
    outputs = kernel.shape[3]
    y = np.empty((len(x), *geometry.out_size, outputs), dtype)
    pixel_blocks = geometry.blocks(x.itemsize, outputs)

    def multiply(columns: np.ndarray, matrix: np.ndarray, block: Block, part: slice) -> None:
        out = y[block].reshape(-1, outputs)[:, part]
        np.matmul(columns, matrix, out=out)
        if bias is not None:
            out += bias[part]
        if activation is not None:
            apply(activation, out)

    if len(pixel_blocks) == 1:  # few pixels and perhaps a large kernel: cut that, as it lies in memory
        block, = pixel_blocks
        columns = geometry.columns(x, *block)
        run(lambda part: multiply(columns, kernel[..., part].reshape(-1, part.stop - part.start), block, part),
            blocks(outputs, OUTPUTS))
    else:
        matrix = np.ascontiguousarray(kernel).reshape(-1, outputs)
        run(lambda block: multiply(geometry.columns(x, *block), matrix, block, slice(None)), pixel_blocks)
    return y


def kernel_gradient(x: np.ndarray, da: np.ndarray, kernel_size: Pair, stride: Pair,
                    padding: tuple[Pair, Pair]) -> np.ndarray:
    """`engine.kernels.correlate_kernel_gradient`, for every dtype."""
    geometry = Geometry(x.shape, kernel_size, stride, padding)
    outputs = da.shape[3]
    pixel_blocks = geometry.blocks(x.itemsize, outputs)
    dW = np.empty((geometry.taps, outputs), np.result_type(x, da))

    def product(block: Block, columns: np.ndarray, part: slice) -> np.ndarray:
        return np.matmul(columns.T, da[block].reshape(-1, outputs)[:, part])

    def sum_of(mine: list[Block]) -> np.ndarray:
        total = product(mine[0], geometry.columns(x, *mine[0]), slice(None))
        for block in mine[1:]:
            total += product(block, geometry.columns(x, *block), slice(None))
        return total

    if len(pixel_blocks) == 1:
        block, = pixel_blocks
        columns = geometry.columns(x, *block)
        run(lambda part: np.copyto(dW[:, part], product(block, columns, part)), blocks(outputs, OUTPUTS))
    else:
        dW[...] = 0
        for part in parallel(sum_of, [pixel_blocks[i::PARTS] for i in range(min(PARTS, len(pixel_blocks)))]):
            dW += part
    return dW.reshape(*kernel_size, x.shape[3], outputs)
