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
from engine.kernels.cpu.threads import parallel, run, scratch

# One block's columns matrix: large enough that the kernel is not re-read for a few rows, small enough for the cache.
COLUMNS_BYTES = 2 << 20
LEAST_ROWS = 256
# The kernel's gradient is summed in this many parts, whatever the number of threads: the bits do not depend on it.
PARTS = 8


@dataclass(frozen=True)
class Geometry:
    """Where the kernel is placed on x: (N, H, W, C)."""
    shape: tuple[int, int, int, int]
    kernel_size: Pair
    stride: Pair
    padding: tuple[Pair, Pair]

    @property
    def out_size(self) -> Pair:
        height, width = (
            output_size(self.shape[1 + axis], self.kernel_size[axis], self.stride[axis], self.padding[axis])
            for axis in (0, 1))
        return height, width

    @property
    def taps(self) -> int:
        return self.kernel_size[0] * self.kernel_size[1] * self.shape[3]

    def blocks(self, itemsize: int) -> list[tuple[slice, slice]]:
        """The output cut into (images, rows): several whole images where they are small, some rows of one otherwise."""
        images, (height, width) = self.shape[0], self.out_size
        pixels = max(LEAST_ROWS, COLUMNS_BYTES // (self.taps * itemsize))
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
    y = np.empty((len(x), *geometry.out_size, kernel.shape[3]), dtype)
    matrix = np.ascontiguousarray(kernel).reshape(-1, kernel.shape[3])

    def job(block):
        out = y[block].reshape(-1, kernel.shape[3])
        np.matmul(geometry.columns(x, *block), matrix, out=out)
        if bias is not None:
            out += bias
        if activation is not None:
            apply(activation, out)

    run(job, geometry.blocks(x.itemsize))
    return y


def kernel_gradient(x: np.ndarray, da: np.ndarray, kernel_size: Pair, stride: Pair,
                    padding: tuple[Pair, Pair]) -> np.ndarray:
    """`engine.kernels.correlate_kernel_gradient`, for every dtype."""
    geometry = Geometry(x.shape, kernel_size, stride, padding)
    blocks = geometry.blocks(x.itemsize)

    def part(mine):
        total = None
        for images, rows in mine:
            product = geometry.columns(x, images, rows).T @ da[images, rows].reshape(-1, da.shape[3])
            total = product if total is None else np.add(total, product, out=total)
        return total

    total, *parts = parallel(part, [blocks[i::PARTS] for i in range(min(PARTS, len(blocks)))])
    for product in parts:
        total += product
    return total.reshape(*kernel_size, x.shape[3], da.shape[3])
