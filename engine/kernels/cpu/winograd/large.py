"""Winograd's method for large kernels: all tiles of a group of images first, then the kernel part by part.

The transformed tiles of a group, V, are kept in memory. A part of the kernel, of some outputs, is then transformed and
multiplied, one row of six places a job, so that no more of U exists than such a row for every thread; and transformed
back, some tiles a job. The kernel's gradient goes the same way backwards.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod

import numpy as np

from engine.kernels.convolution import Pair
from engine.kernels.cpu.threads import blocks, run, scratch
from engine.kernels.cpu.winograd.products import multiply, multiply_transposed
from engine.kernels.cpu.winograd.tiles import POINTS, Block, Tiling, cut, join
from engine.kernels.cpu.winograd.transforms import (
    AT,
    BT,
    copy_kernel,
    transform_back_down,
    transform_back_row,
    transform_row,
)

# Outputs of a part of the kernel: MOST, but LEAST where there are more than WIDE channels, so that a row of U stays
# small.
MOST, LEAST = 256, 128
WIDE = 768
# Channels of the gradient's part that is one job.
GRADIENT_ROWS = 512
# Numbers of one of the 36 places that a job transforms, pairs of channels, and the bytes of V and M, or V and Z.
BLOCK = 1 << 14
KERNEL_BLOCK = 1 << 14
GROUP_BYTES = 60 << 20


def correlate(x: np.ndarray, kernel: np.ndarray, U: np.ndarray | None, bias: np.ndarray | None,
              activation: Callable[[np.ndarray], np.ndarray] | None, start: Pair, tiling: Tiling,
              y: np.ndarray) -> None:
    """y = sigma(x * W + b). U: the transformed kernel, if kept; start: of the first tile on x."""
    channels, outputs = kernel.shape[2:]
    for group, V, M in _groups(tiling, channels, _parts(channels, outputs)[0].stop, x.dtype):
        _cut(x, BT, start, tiling, group, V)
        _outputs(V, kernel, U, bias, activation, tiling, group, y, M)


def gradients(da: np.ndarray, rotated: np.ndarray, x: np.ndarray, start: Pair, tiling: Tiling, dx: np.ndarray | None,
              dW: np.ndarray) -> None:
    """dx = da * W~, where it is wanted, and dW~ = G' (sum over tiles of Z' V) G. start: of the first tile on da."""
    for n, (group, V, Z) in enumerate(_groups(tiling, rotated.shape[2], rotated.shape[3], x.dtype)):
        _cut(da, BT, start, tiling, group, V)
        if dx is not None:
            _outputs(V, rotated, None, None, None, tiling, group, dx, Z)  # M stands where Z will
        _cut(x, AT.T, (0, 0), tiling, group, Z)
        _gradient(Z, V, dW, add=n > 0)


def _groups(tiling: Tiling, channels: int, others: int, dtype: np.dtype
            ) -> Iterator[tuple[Block, np.ndarray, np.ndarray]]:
    """Groups of tiles, each with room for (6, 6, 1, tiles, channels) and for (6, 6, 1, tiles, others).

    Both stand in one work space: what is large for one is small for the other.
    """
    for group in tiling.blocks(max(1, GROUP_BYTES // (POINTS * POINTS * (channels + others) * dtype.itemsize))):
        numbers = POINTS * POINTS * tiling.count(group)
        space = scratch("winograd whole", (numbers * (channels + others),), dtype)
        one, other = space[:numbers * channels], space[numbers * channels:]
        yield (group, one.reshape(POINTS, POINTS, 1, -1, channels), other.reshape(POINTS, POINTS, 1, -1, others))


def _cut(x: np.ndarray, matrix: np.ndarray, start: Pair, tiling: Tiling, group: Block, out: np.ndarray) -> None:
    """The tiles of a group, transformed."""
    matrix = np.ascontiguousarray(matrix, x.dtype)

    def job(job: tuple[Block, slice]) -> None:
        cut(x, matrix, start, tiling, job[0], out[:, :, :, job[1]])

    run(job, tiling.numbered(max(1, BLOCK // x.shape[3]), group))


def _outputs(V: np.ndarray, kernel: np.ndarray, U: np.ndarray | None, bias: np.ndarray | None,
             activation: Callable[[np.ndarray], np.ndarray] | None, tiling: Tiling, group: Block, y: np.ndarray,
             space: np.ndarray) -> None:
    """y of the group's tiles. U: the whole transformed kernel, or None; space: for M, at least of one part."""
    channels, outputs = kernel.shape[2:]
    at, parts = AT.astype(V.dtype), _parts(channels, outputs)
    together = parts[0].stop
    sliced = together if U is None else min(together, U.shape[4])
    shape = (POINTS, POINTS, together // sliced, V.shape[3], sliced)
    M = space.reshape(-1)[:prod(shape)].reshape(shape)
    copied = scratch("winograd whole kernel", (3, 3, 1, channels, together), V.dtype)
    for part in parts:
        def copy_job(some: slice, part: slice = part) -> None:
            copy_kernel(kernel[:, :, some, part], copied[:, :, :, some])

        def row_job(a: int, part: slice = part) -> None:
            if U is None:
                row = scratch("winograd U", (POINTS, *copied.shape[2:]), V.dtype)
                transform_row(copied, a, row)
            elif U.shape[2] == 1:
                row = U[a, ..., part]
            else:
                row = U[a, :, part.start // sliced:part.stop // sliced]
            multiply(V[a], row, M[a])

        def join_job(job: tuple[Block, slice], part: slice = part) -> None:
            join(M[:, :, :, job[1]], at, tiling, job[0], None if bias is None else bias[part], activation,
                 y[..., part])

        if U is None:
            run(copy_job, blocks(channels, max(1, KERNEL_BLOCK // together)))
        run(row_job, range(POINTS))
        run(join_job, tiling.numbered(max(1, BLOCK // together), group))


def _gradient(Z: np.ndarray, V: np.ndarray, dW: np.ndarray, add: bool) -> None:
    """dW = G' Z' V G, or added to it."""
    channels, outputs = Z.shape[4], V.shape[4]
    for part in _parts(channels, outputs):
        together = part.stop - part.start
        down = scratch("winograd whole kernel", (POINTS, 3, channels, together), V.dtype)

        def row_job(job: tuple[int, slice], part: slice = part, down: np.ndarray = down) -> None:
            a, rows = job
            dU = scratch("winograd dU", (POINTS, 1, 1, rows.stop - rows.start, part.stop - part.start), V.dtype)
            multiply_transposed(Z[a, ..., rows], V[a, ..., part], dU)
            transform_back_row(dU, down[a, :, rows])

        def back_job(rows: slice, part: slice = part, down: np.ndarray = down) -> None:
            transform_back_down(down[:, :, rows], dW[:, :, rows, part], add)

        run(row_job, product(range(POINTS), _in_parts(channels, GRADIENT_ROWS)))
        run(back_job, blocks(channels, max(1, KERNEL_BLOCK // together)))


def _parts(channels: int, outputs: int) -> list[slice]:
    """The outputs in the parts that go through the products together."""
    return _in_parts(outputs, MOST if channels <= WIDE else LEAST)


def _in_parts(channels: int, most: int) -> list[slice]:
    """Parts of `most` channels; all in one where that leaves a rest."""
    return blocks(channels, most if channels % most == 0 else channels)
