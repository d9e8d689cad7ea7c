"""Winograd's method for small kernels: a block of tiles goes through all the steps while it lies near the processor."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.kernels.convolution import Pair
from engine.kernels.cpu.threads import parallel, run, scratch
from engine.kernels.cpu.winograd.products import most_tiles, multiply, multiply_transposed, width
from engine.kernels.cpu.winograd.tiles import POINTS, Block, Tiling, cut, join
from engine.kernels.cpu.winograd.transforms import AT, BT, transform_back, transform_whole

# Numbers of V, Z or M of one of the 36 places in a block.
BLOCK = 1 << 14
# The kernel's gradient is summed in this many parts, whatever the number of threads.
PARTS = 8


def correlate(x: np.ndarray, kernel: np.ndarray, U: np.ndarray | None, bias: np.ndarray | None,
              activation: Callable[[np.ndarray], np.ndarray] | None, start: Pair, tiling: Tiling,
              y: np.ndarray) -> None:
    """y = sigma(x * W + b). U: the transformed kernel, if kept; start: of the first tile on x."""
    channels, outputs = kernel.shape[2:]
    bt, at = BT.astype(x.dtype), AT.astype(x.dtype)
    if U is None:
        U = scratch("winograd whole U", _sliced(channels, outputs), x.dtype)
        transform_whole(kernel, U)

    def job(block: Block) -> None:
        V = scratch("winograd V", (POINTS, POINTS, 1, tiling.count(block), channels), x.dtype)
        M = scratch("winograd M", _sliced(tiling.count(block), outputs), x.dtype)
        cut(x, bt, start, tiling, block, V)
        multiply(V, U, M)
        join(M, at, tiling, block, bias, activation, y)

    run(job, tiling.jobs(BLOCK // max(channels, outputs)))


def gradients(da: np.ndarray, rotated: np.ndarray, x: np.ndarray, start: Pair, tiling: Tiling, dx: np.ndarray | None,
              dW: np.ndarray) -> None:
    """dx = da * W~, where it is wanted, and dW~ = G' (sum over tiles of Z' V) G. start: of the first tile on da."""
    outputs, channels = rotated.shape[2:]
    bt, at, a = BT.astype(x.dtype), AT.astype(x.dtype), np.ascontiguousarray(AT.T, x.dtype)
    U = scratch("winograd whole U", _sliced(outputs, channels), x.dtype)
    if dx is not None:
        transform_whole(rotated, U)

    def product(block: Block, dU: np.ndarray) -> None:
        V = scratch("winograd V", (POINTS, POINTS, 1, tiling.count(block), outputs), x.dtype)
        M = Z = scratch("winograd M", _sliced(tiling.count(block), channels), x.dtype)
        cut(da, bt, start, tiling, block, V)
        if dx is not None:
            multiply(V, U, M)
            join(M, at, tiling, block, None, None, dx)
        cut(x, a, (0, 0), tiling, block, Z)
        slices = V.reshape(POINTS, POINTS, -1, outputs // width(outputs), width(outputs)).swapaxes(2, 3)
        multiply_transposed(Z, slices, dU)

    def part(mine: list[Block]) -> np.ndarray:
        dU = np.empty((POINTS, POINTS, channels // width(channels), outputs // width(outputs), width(channels),
                       width(outputs)), x.dtype)
        product(mine[0], dU)
        for block in mine[1:]:
            more = scratch("winograd dU", dU.shape, x.dtype)
            product(block, more)
            dU += more
        return dU

    every = tiling.jobs(most_tiles(channels, outputs, BLOCK // max(channels, outputs)))
    dU, *dUs = parallel(part, [every[i::PARTS] for i in range(min(PARTS, len(every)))])
    for other in dUs:
        dU += other
    transform_back(dU, dW)


def _sliced(rows: int, channels: int) -> tuple[int, ...]:
    """(6, 6, slices, rows, channels of a slice)."""
    return POINTS, POINTS, channels // width(channels), rows, width(channels)
