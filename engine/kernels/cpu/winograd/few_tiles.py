"""Winograd's method for few tiles and many channels: each thread takes some channels through all the steps.

The kernel's transform is the better part of the work then. The transformed tiles, V, are small and every thread reads
them; what is made of some outputs' part of the kernel stays near the processor from its copy to the finished outputs,
and no thread waits for another on the way. The kernel's gradient is made of some channels likewise.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.kernels.convolution import Pair
from engine.kernels.cpu.threads import blocks, run, scratch
from engine.kernels.cpu.winograd.products import multiply, multiply_transposed
from engine.kernels.cpu.winograd.tiles import POINTS, Block, Tiling, cut, join
from engine.kernels.cpu.winograd.transforms import (
    AT,
    BT,
    transform_back_down,
    transform_back_row,
    transform_part,
)

# Channels that one job takes through.
PART = 64
# Numbers of one of the 36 places that a job transforms.
BLOCK = 1 << 14


def correlate(x: np.ndarray, kernel: np.ndarray, U: np.ndarray | None, bias: np.ndarray | None,
              activation: Callable[[np.ndarray], np.ndarray] | None, start: Pair, tiling: Tiling,
              y: np.ndarray) -> None:
    """y = sigma(x * W + b). U: the transformed kernel, if kept; start: of the first tile on x."""
    _outputs(_cut("winograd whole", x, BT, start, tiling), kernel, U, bias, activation, tiling, y)


def gradients(da: np.ndarray, rotated: np.ndarray, x: np.ndarray, start: Pair, tiling: Tiling, dx: np.ndarray | None,
              dW: np.ndarray) -> None:
    """dx = da * W~, where it is wanted, and dW~ = G' (sum over tiles of Z' V) G. start: of the first tile on da."""
    V = _cut("winograd whole", da, BT, start, tiling)
    if dx is not None:
        _outputs(V, rotated, None, None, None, tiling, dx)
    _gradient(_cut("winograd whole Z", x, AT.T, (0, 0), tiling), V, dW)


def _cut(name: str, x: np.ndarray, matrix: np.ndarray, start: Pair, tiling: Tiling) -> np.ndarray:
    """All tiles, transformed, in this thread's work space of that name: (6, 6, 1, tiles, C)."""
    matrix = np.ascontiguousarray(matrix, x.dtype)
    V = scratch(name, (POINTS, POINTS, 1, tiling.count(tiling.whole), x.shape[3]), x.dtype)

    def job(some: tuple[Block, slice]) -> None:
        cut(x, matrix, start, tiling, some[0], V[:, :, :, some[1]])

    run(job, tiling.numbered(max(1, BLOCK // x.shape[3]), tiling.whole))
    return V


def _outputs(V: np.ndarray, kernel: np.ndarray, U: np.ndarray | None, bias: np.ndarray | None,
             activation: Callable[[np.ndarray], np.ndarray] | None, tiling: Tiling, y: np.ndarray) -> None:
    at = AT.astype(V.dtype)

    def job(part: slice) -> None:
        M = scratch("winograd M", (*V.shape[:4], part.stop - part.start), V.dtype)
        multiply(V, transform_part(kernel[..., part]) if U is None else _part_of(U, part), M)
        join(M, at, tiling, tiling.whole, None if bias is None else bias[part], activation, y[..., part])

    run(job, blocks(kernel.shape[3], PART))


def _part_of(U: np.ndarray, outputs: slice) -> np.ndarray:
    """Of a kept U, (6, 6, slices, C, outputs of a slice), the part of some outputs: (6, 6, 1, C, outputs)."""
    if U.shape[4] == PART:
        return U[:, :, outputs.start // PART:outputs.stop // PART]
    return U[..., outputs]


def _gradient(Z: np.ndarray, V: np.ndarray, dW: np.ndarray) -> None:
    """dW = G' Z' V G."""
    outputs = V.shape[4]

    def job(part: slice) -> None:
        mine = part.stop - part.start
        dU = scratch("winograd dU", (POINTS, 1, 1, mine, outputs), V.dtype)
        down = scratch("winograd dU down", (POINTS, 3, mine, outputs), V.dtype)
        for a in range(POINTS):
            multiply_transposed(Z[a, ..., part], V[a], dU)
            transform_back_row(dU, down[a])
        transform_back_down(down, dW[:, :, part], add=False)

    run(job, blocks(Z.shape[4], PART))
