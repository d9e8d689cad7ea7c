"""Winograd's method for small kernels: a block of tiles goes through all the steps while it lies near the processor."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.arrays import Array
from engine.kernels.convolution import Pair
from engine.kernels.cpu.threads import parallel, run, scratch
from engine.kernels.cpu.winograd.products import multiply, multiply_transposed, width
from engine.kernels.cpu.winograd.tiles import POINTS, Block, Tiling, cut, join
from engine.kernels.cpu.winograd.transforms import AT, BT, transform_back, transform_whole

Factors = tuple[np.ndarray, np.ndarray]

# Numbers of V, Z or M of one of the 36 places, and for the gradient the most tiles, in a block.
BLOCK = 1 << 14
MOST_TILES = 244
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


def kernel_gradient(x: np.ndarray, da: np.ndarray, start: Pair, tiling: Tiling, dW: np.ndarray) -> None:
    """dW = G' (sum over tiles of V' Z) G. start: of the first tile on x."""
    channels, outputs = dW.shape[2:]
    bt, a = BT.astype(x.dtype), np.ascontiguousarray(AT.T, x.dtype)

    def factors(block: Block) -> Factors:
        V = scratch("winograd V", _sliced(tiling.count(block), channels), x.dtype)
        Z = scratch("winograd M", _sliced(tiling.count(block), outputs), x.dtype)
        cut(x, bt, start, tiling, block, V)
        cut(da, a, (0, 0), tiling, block, Z)
        return V, Z

    _sum_of_products(factors, tiling, dW)


def both(da: np.ndarray, kernel: np.ndarray, x: np.ndarray, start: Pair, tiling: Tiling, dx: np.ndarray,
         dW: np.ndarray) -> None:
    """dx = da * W, and dW = G' (sum over tiles of Z' V) G with V of da and Z of x. start: of the first tile on da."""
    outputs, channels = kernel.shape[2:]
    bt, at, a = BT.astype(da.dtype), AT.astype(da.dtype), np.ascontiguousarray(AT.T, da.dtype)
    U = scratch("winograd whole U", _sliced(outputs, channels), da.dtype)
    transform_whole(kernel, U)

    def factors(block: Block) -> Factors:
        V = scratch("winograd V", (POINTS, POINTS, 1, tiling.count(block), outputs), da.dtype)
        M = scratch("winograd M", _sliced(tiling.count(block), channels), da.dtype)
        cut(da, bt, start, tiling, block, V)
        multiply(V, U, M)
        join(M, at, tiling, block, None, None, dx)
        cut(x, a, (0, 0), tiling, block, M)  # Z in M's place
        return M, V[:, :, 0].reshape(POINTS, POINTS, -1, outputs // width(outputs), width(outputs)).swapaxes(2, 3)

    _sum_of_products(factors, tiling, dW)


def _sum_of_products(factors: Callable[[Block], Factors], tiling: Tiling, dW: np.ndarray) -> None:
    """dW = G' (sum over blocks of V' Z) G, where (V, Z) = factors(block)."""
    def part(mine: list[Block]) -> Array:
        dU: Array = None
        for block in mine:
            V, Z = factors(block)
            if dU is None:
                dU = np.empty((POINTS, POINTS, V.shape[2], Z.shape[2], V.shape[4], Z.shape[4]), V.dtype)
                multiply_transposed(V, Z, dU)
            else:
                product = scratch("winograd dU", dU.shape, dU.dtype)
                multiply_transposed(V, Z, product)
                dU += product
        return dU

    every = tiling.jobs(min(MOST_TILES, BLOCK // max(dW.shape[2:])))
    dU, *dUs = parallel(part, [every[i::PARTS] for i in range(min(PARTS, len(every)))])
    for other in dUs:
        dU += other
    transform_back(dU, dW)


def _sliced(rows: int, channels: int) -> tuple[int, ...]:
    """(6, 6, slices, rows, channels of a slice)."""
    return POINTS, POINTS, channels // width(channels), rows, width(channels)
