"""Sums over channels and the passes of batch normalization on NumPy arrays: fixed blocks of pixels, summed in order.

A block is read from memory once: whatever is to be summed is summed while it lies in the cache.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.kernels.cpu.threads import Result, blocks, parallel, scratch
from engine.kernels.normalization import batch_moments, channel_sums, combine, gradient_sums, scale_and_shift

Vectors = tuple[np.ndarray, np.ndarray]

# Of a block of all arrays together: they stay in the cache, and calls on one are long enough for two threads.
BLOCK_BYTES = 3 << 19
# Numbers in a row of a block. Side by side stand as many pixels: NumPy goes through long rows faster, and as many
# running sums are added in the end, where one long sum would lose the digits of its last terms.
WIDTH = 1024


def by_blocks(function: Callable[..., Result], arrays: list[np.ndarray], vectors: list[np.ndarray]) -> list[Result]:
    """function(blocks of the arrays, vectors): in parallel, the results in order. arrays: (..., C); vectors: (C,).

    Blocks are as alike as possible. One is (rows, pixels C), so many pixels side by side, and the vectors are repeated
    for them. An array that is written to has to be contiguous.
    """
    channels = arrays[0].shape[-1]
    arrays = [array.reshape(-1, channels) for array in arrays]
    pixels = len(arrays[0])
    side = max(1, WIDTH // max(1, channels))
    rows = pixels // side
    most = max(1, BLOCK_BYTES // (len(arrays) * side * max(1, channels) * arrays[0].itemsize))
    whole, alike = rows * side, -(-rows // max(1, -(-rows // most)))
    parts = [(part, side) for part in blocks(whole, max(1, alike) * side)]
    if whole < pixels or not pixels:  # no pixels, too, are a block: of sums that are 0
        parts.append((slice(whole, pixels), 1))
    repeated = {width: [np.tile(vector, width) for vector in vectors] for width in {width for _, width in parts}}

    def job(part: tuple[slice, int]) -> Result:
        here, width = part
        return function(*(array[here].reshape(-1, width * channels) for array in arrays), *repeated[width])

    return parallel(job, parts)


def sums(block: np.ndarray, channels: int) -> np.ndarray:
    """Sums over the pixels of a block: (C,)."""
    return np.add.reduce(np.add.reduce(block, 0).reshape(-1, channels), 0)


@channel_sums.register(np.ndarray)
def _(x: np.ndarray) -> np.ndarray:
    return np.asarray(sum(by_blocks(lambda block: sums(block, x.shape[-1]), [x], [])))


@batch_moments.register(np.ndarray)
def _(x: np.ndarray) -> Vectors:
    """Sums about a centre, the mean of every eighth row of a block: a large mean costs no digits.

    From a centre c with mean - c = d, the sum of squares about the mean is sum (x - c)^2 - n d^2. An eighth of the
    numbers lies at most sqrt(7) standard deviations from the mean of all, so that the difference cancels to an eighth
    of what it is taken from, at worst.
    """
    channels = x.shape[-1]

    def moments(block: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Number of pixels, the centre, and the sums of x - centre and its square."""
        some = block[::8]
        centre = sums(some, channels) / some.dtype.type(some.size // channels)
        centred = scratch("centred", block.shape, block.dtype)
        np.subtract(block, np.tile(centre, block.shape[1] // channels), out=centred)
        total = sums(centred, channels)
        np.multiply(centred, centred, out=centred)
        return block.size // channels, centre, total, sums(centred, channels)

    pixels, centre, total, squares = (np.array(each) for each in zip(*by_blocks(moments, [x], []), strict=True))
    pixels = pixels[:, None]  # whole numbers, with which NumPy computes in float64
    means = centre + total / pixels
    mean = (pixels * means).sum(0) / pixels.sum()
    variance = (squares - total * (total / pixels) + pixels * (means - mean) ** 2).sum(0) / pixels.sum()
    if variance.dtype.kind == "f":  # complex-step differentiation passes through
        np.maximum(variance, 0, out=variance)  # to rounding
    dtype = np.result_type(x)
    return mean.astype(dtype), variance.astype(dtype)


@scale_and_shift.register(np.ndarray)
def _(x: np.ndarray, centre: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    y = np.empty(x.shape, np.result_type(x, centre, scale, shift))

    def job(x: np.ndarray, y: np.ndarray, centre: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> None:
        np.subtract(x, centre, out=y)
        np.multiply(y, scale, out=y)
        np.add(y, shift, out=y)

    by_blocks(job, [x, y], [centre, scale, shift])
    return y


@gradient_sums.register(np.ndarray)
def _(dy: np.ndarray, x: np.ndarray, centre: np.ndarray) -> Vectors:
    channels = x.shape[-1]

    def job(dy: np.ndarray, x: np.ndarray, centre: np.ndarray) -> Vectors:
        products = np.subtract(x, centre, out=scratch("centred", x.shape, np.result_type(dy, x, centre)))
        np.multiply(products, dy, out=products)
        return sums(dy, channels), sums(products, channels)

    of_dy, of_products = zip(*by_blocks(job, [dy, x], [centre]), strict=True)
    return sum(of_dy), sum(of_products)


@combine.register(np.ndarray)
def _(dy: np.ndarray, x: np.ndarray, centre: np.ndarray, dy_scale: np.ndarray, x_scale: np.ndarray,
      shift: np.ndarray) -> np.ndarray:
    dx = np.empty(dy.shape, np.result_type(dy, x, centre, dy_scale, x_scale, shift))

    def job(dy: np.ndarray, x: np.ndarray, dx: np.ndarray, centre: np.ndarray, dy_scale: np.ndarray,
            x_scale: np.ndarray, shift: np.ndarray) -> None:
        np.multiply(dy, dy_scale, out=dx)
        product = np.subtract(x, centre, out=scratch("centred", x.shape, dx.dtype))
        np.multiply(product, x_scale, out=product)
        np.add(product, shift, out=product)
        np.add(dx, product, out=dx)

    by_blocks(job, [dy, x, dx], [centre, dy_scale, x_scale, shift])
    return dx
