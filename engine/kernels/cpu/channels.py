"""Sums over channels and the passes of batch normalization on NumPy arrays: fixed blocks of pixels, summed in order.

A block is read from memory once: whatever is to be summed is summed while it lies in the cache.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.kernels.channels import batch_moments, channel_sums, combine, gradient_sums, scale_and_shift
from engine.kernels.cpu.threads import Result, blocks, parallel, scratch

BLOCK_BYTES = 1 << 20
# Numbers in a row of a block. Side by side stand as many pixels: NumPy goes through long rows faster, and as many
# running sums are added in the end, where one long sum would lose the digits of its last terms.
WIDTH = 1024


def by_blocks(function: Callable[..., Result], arrays: list[np.ndarray], vectors: list[np.ndarray]) -> list[Result]:
    """function(blocks of the arrays, vectors): in parallel, the results in order. arrays: (..., C); vectors: (C,).

    A block is (rows, pixels C), so many pixels side by side, and the vectors are repeated for them. An array that is
    written to has to be contiguous.
    """
    channels = arrays[0].shape[-1]
    arrays = [array.reshape(-1, channels) for array in arrays]
    pixels = len(arrays[0])
    side = max(1, WIDTH // max(1, channels))
    block = side * max(1, BLOCK_BYTES // (side * max(1, channels) * arrays[0].itemsize))
    whole = pixels // side * side
    parts = [(part, side) for part in blocks(whole, block)] + [(slice(whole, pixels), 1)] * (whole < pixels)
    repeated = {width: [np.tile(vector, width) for vector in vectors] for width in {width for _, width in parts}}

    def job(part):
        here, width = part
        return function(*(array[here].reshape(-1, width * channels) for array in arrays), *repeated[width])

    return parallel(job, parts)


def sums(block: np.ndarray, channels: int) -> np.ndarray:
    """Sums over the pixels of a block: (C,)."""
    total = np.add.reduce(block, 0)
    return total if len(total) == channels else np.add.reduce(total.reshape(-1, channels), 0)


@channel_sums.register(np.ndarray)
def _(x):
    return sum(by_blocks(lambda block: sums(block, x.shape[-1]), [x], []))


@batch_moments.register(np.ndarray)
def _(x):
    channels = x.shape[-1]

    def moments(block):
        """Number of pixels, mean, and the sum of squares about it."""
        pixels = block.size // channels
        mean = sums(block, channels) / block.dtype.type(pixels)
        centred = scratch("centred", block.shape, block.dtype)
        np.subtract(block, np.tile(mean, block.shape[1] // channels), out=centred)
        np.multiply(centred, centred, out=centred)
        return pixels, mean, sums(centred, channels)

    pixels, means, squares = (np.array(of_blocks) for of_blocks in zip(*by_blocks(moments, [x], []), strict=True))
    weights = (pixels / pixels.sum()).astype(means.dtype)
    mean = weights @ means
    # about the mean of all a block's squares are larger by its pixels times the distance of its mean, squared
    return mean, squares.sum(0) / means.dtype.type(pixels.sum()) + weights @ (means - mean) ** 2


@scale_and_shift.register(np.ndarray)
def _(x, scale, shift):
    y = np.empty(x.shape, np.result_type(x, scale, shift))

    def job(x, y, scale, shift):
        np.multiply(x, scale, out=y)
        np.add(y, shift, out=y)

    by_blocks(job, [x, y], [scale, shift])
    return y


@gradient_sums.register(np.ndarray)
def _(dy, x, centre):
    channels = x.shape[-1]

    def job(dy, x, centre):
        products = np.subtract(x, centre, out=scratch("centred", x.shape, np.result_type(dy, x, centre)))
        np.multiply(products, dy, out=products)
        return sums(dy, channels), sums(products, channels)

    of_dy, of_products = zip(*by_blocks(job, [dy, x], [centre]), strict=True)
    return sum(of_dy), sum(of_products)


@combine.register(np.ndarray)
def _(dy, x, dy_scale, x_scale, shift):
    dx = np.empty(dy.shape, np.result_type(dy, x, dy_scale, x_scale, shift))

    def job(dy, x, dx, dy_scale, x_scale, shift):
        np.multiply(dy, dy_scale, out=dx)
        product = np.multiply(x, x_scale, out=scratch("combine", x.shape, dx.dtype))
        np.add(product, shift, out=product)
        np.add(dx, product, out=dx)

    by_blocks(job, [dy, x, dx], [dy_scale, x_scale, shift])
    return dx
