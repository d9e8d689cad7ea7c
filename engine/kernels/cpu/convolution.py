"""Convolutions on NumPy arrays, by the fastest of three methods. The shapes decide."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.kernels.convolution import Pair, correlate, correlate_kernel_gradient, gradients_together
from engine.kernels.cpu import direct, few_pixels, winograd
from engine.kernels.cpu.kept import KeptKernel


@correlate.register(np.ndarray)
def _(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, stride: Pair, padding: tuple[Pair, Pair],
      activation: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
    arrays = [x, kernel] if bias is None else [x, kernel, bias]
    U = None
    if by_winograd := winograd_is_faster(x.shape, kernel.shape, stride, padding) and winograd.takes(*arrays):
        U = kernel.transformed() if isinstance(kernel, KeptKernel) else None
    kernel = np.asarray(kernel)
    if U is None and few_pixels.fit(x.shape, kernel.shape, stride, padding):
        return few_pixels.correlate(x, kernel, bias, stride, padding, activation)
    if by_winograd:
        return winograd.correlate(x, kernel, bias, padding, activation, U)
    return direct.correlate(x, kernel, bias, stride, padding, activation)


@correlate_kernel_gradient.register(np.ndarray)
def _(x: np.ndarray, da: np.ndarray, kernel_size: Pair, stride: Pair, padding: tuple[Pair, Pair]) -> np.ndarray:
    shape = (*kernel_size, x.shape[3], da.shape[3])
    if few_pixels.fit(x.shape, shape, stride, padding):
        return few_pixels.kernel_gradient(x, da, kernel_size, stride, padding)
    if winograd_is_faster(x.shape, shape, stride, padding) and winograd.takes(x, da):
        return winograd.kernel_gradient(x, da, padding)
    return direct.kernel_gradient(x, da, kernel_size, stride, padding)


@gradients_together.register(np.ndarray)
def _(x: np.ndarray, da: np.ndarray, kernel: np.ndarray, stride: Pair,
      padding: tuple[Pair, Pair]) -> tuple[np.ndarray, np.ndarray] | None:
    if kernel.shape[:2] != (3, 3) or stride != (1, 1) or not winograd.takes(x, da, kernel):
        return None
    around = winograd.padding_back(x.shape, da.shape, padding)
    back = *kernel.shape[:2], kernel.shape[3], kernel.shape[2]
    for shape, size, zeros in (x.shape, kernel.shape, padding), (da.shape, back, around):
        if few_pixels.fit(shape, size, stride, zeros) or not winograd_is_faster(shape, size, stride, zeros):
            return None
    return winograd.both_gradients(x, da, kernel, padding)


def winograd_is_faster(shape: tuple[int, ...], kernel: tuple[int, ...], stride: Pair,
                       padding: tuple[Pair, Pair]) -> bool:
    """Whether an estimate of both times says so. x: shape (N, H, W, C); kernel: (KH, KW, C, O).

    The constants are nanoseconds, measured on one processor. Either way a multiplication costs the same. The direct way
    has 144 for a tile of 4 x 4 pixels and copies x nine times; Winograd's has 36 for a tile, whether it is filled or
    not, the transforms of its inputs and outputs, that of the kernel, and a constant for its many short calls.
    """
    if kernel[:2] != (3, 3) or stride != (1, 1):
        return False
    channels, outputs = kernel[2:]
    tiling = winograd.tiling_of(shape, padding)
    pixels, tiles = tiling.images * tiling.height * tiling.width, tiling.count(tiling.whole)
    directly = pixels * 9 * (0.02 * channels * outputs + 0.25 * channels)
    transformed = tiles * (36 * 0.018 * channels * outputs + 30 * channels + 20 * outputs)
    return transformed + 30 * channels * outputs + 150_000 < directly
