"""Winograd's method for large kernels: all tiles of a group of images first, then the kernel part by part.

The transformed tiles of a group, V, are kept in memory. A part of the kernel, of some outputs, is then transformed and
multiplied, one row of six places a job, so that no more of U exists than such a row for every thread; and transformed
back, some tiles a job. The kernel's gradient goes the same way backwards.
"""
from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from engine.kernels.convolution import Pair
from engine.kernels.cpu.threads import blocks, run, scratch
from engine.kernels.cpu.winograd.products import multiply, multiply_transposed, width
from engine.kernels.cpu.winograd.tiles import POINTS, Block, Tiling, cut, join
from engine.kernels.cpu.winograd.transforms import (
    AT,
    BT,
    copy_kernel,
    transform_back_down,
    transform_back_row,
    transform_row,
)

# Outputs of a part of the kernel: as many as leave a row of U this many numbers, but at most MOST and at least LEAST.
ROW = 6 << 17
MOST, LEAST = 256, 128
# Channels of the gradient's part that is one job.
GRADIENT_ROWS = 512
# So few tiles are multiplied in small products where these are faster.
FEW_TILES = 128
# Numbers of one of the 36 places that a job transforms, pairs of channels, and the bytes of a group's tiles.
BLOCK = 1 << 14
KERNEL_BLOCK = 1 << 14
GROUP_BYTES = 54 << 20


def correlate(x: np.ndarray, kernel: np.ndarray, U: np.ndarray | None, bias: np.ndarray | None,
              activation: Callable[[np.ndarray], np.ndarray] | None, start: Pair, tiling: Tiling,
              y: np.ndarray) -> None:
    """y = sigma(x * W + b). U: the transformed kernel, if kept; start: of the first tile on x."""
    channels, outputs = kernel.shape[2:]
    bt, at = BT.astype(x.dtype), AT.astype(x.dtype)
    for group in tiling.blocks(_group_size(channels, x.itemsize)):
        tiles = tiling.count(group)
        V = scratch("winograd whole V", (POINTS, POINTS, 1, tiles, channels), x.dtype)

        def cut_job(job: tuple[Block, slice], V: np.ndarray = V) -> None:
            cut(x, bt, start, tiling, job[0], V[:, :, :, job[1]])

        run(cut_job, tiling.numbered(max(1, BLOCK // channels), group))
        for part in _parts(outputs, _part(channels)):
            together = part.stop - part.start
            sliced = width(together) if tiles <= FEW_TILES or U is not None else together
            slices = together // sliced
            M = scratch("winograd whole M", (POINTS, POINTS, slices, tiles, sliced), x.dtype)
            copied = scratch("winograd whole kernel", (3, 3, slices, channels, sliced), x.dtype)

            def copy_job(some: slice, part: slice = part, copied: np.ndarray = copied) -> None:
                copy_kernel(kernel[:, :, some, part], copied[:, :, :, some])

            def row_job(a: int, part: slice = part, V: np.ndarray = V, copied: np.ndarray = copied,
                        M: np.ndarray = M) -> None:
                if U is None:
                    row = scratch("winograd U", (POINTS, *copied.shape[2:]), x.dtype)
                    transform_row(copied, a, row)
                elif U.shape[2] == 1:
                    row = U[a, ..., part]
                else:
                    row = U[a, :, part.start // U.shape[4]:part.stop // U.shape[4]]
                multiply(V[a], row, M[a])

            def join_job(job: tuple[Block, slice], part: slice = part, M: np.ndarray = M) -> None:
                join(M[:, :, :, job[1]], at, tiling, job[0], None if bias is None else bias[part], activation,
                     y[..., part])

            if U is None:
                run(copy_job, blocks(channels, max(1, KERNEL_BLOCK // together)))
            run(row_job, range(POINTS))
            run(join_job, tiling.numbered(max(1, BLOCK // together), group))


def kernel_gradient(x: np.ndarray, da: np.ndarray, start: Pair, tiling: Tiling, dW: np.ndarray) -> None:
    """dW = G' (sum over tiles of V' Z) G. start: of the first tile on x."""
    channels, outputs = dW.shape[2:]
    bt, a = BT.astype(x.dtype), np.ascontiguousarray(AT.T, x.dtype)
    for n, group in enumerate(tiling.blocks(_group_size(channels + outputs, x.itemsize))):
        V = scratch("winograd whole V", (POINTS, POINTS, 1, tiling.count(group), channels), x.dtype)
        Z = scratch("winograd whole Z", (POINTS, POINTS, 1, tiling.count(group), outputs), x.dtype)

        def cut_job(job: tuple[Block, slice], V: np.ndarray = V, Z: np.ndarray = Z) -> None:
            cut(x, bt, start, tiling, job[0], V[:, :, :, job[1]])
            cut(da, a, (0, 0), tiling, job[0], Z[:, :, :, job[1]])

        run(cut_job, tiling.numbered(max(1, BLOCK // max(channels, outputs)), group))
        for part in _parts(outputs, _part(channels)):
            together = part.stop - part.start
            down = scratch("winograd dU down", (POINTS, 3, channels, together), x.dtype)

            def row_job(job: tuple[int, slice], part: slice = part, V: np.ndarray = V, Z: np.ndarray = Z,
                        down: np.ndarray = down) -> None:
                a, rows = job
                dU = scratch("winograd dU", (POINTS, 1, 1, rows.stop - rows.start, part.stop - part.start), x.dtype)
                multiply_transposed(V[a, ..., rows], Z[a, ..., part], dU)
                transform_back_row(dU, down[a, :, rows])

            def back_job(rows: slice, part: slice = part, down: np.ndarray = down, n: int = n) -> None:
                transform_back_down(down[:, :, rows], dW[:, :, rows, part], add=n > 0)

            run(row_job, product(range(POINTS), _parts(channels, GRADIENT_ROWS)))
            run(back_job, blocks(channels, max(1, KERNEL_BLOCK // together)))


def _part(channels: int) -> int:
    return min(MOST, max(LEAST, ROW // (POINTS * channels)))


def _parts(channels: int, most: int) -> list[slice]:
    """Parts of `most` channels; all in one where that leaves a rest."""
    return blocks(channels, most if channels % most == 0 else channels)


def _group_size(channels: int, itemsize: int) -> int:
    return max(1, GROUP_BYTES // (POINTS * POINTS * channels * itemsize))
