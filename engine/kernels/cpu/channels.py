"""Sums over channels and the passes of batch normalization on NumPy arrays: fixed blocks of rows, summed in order."""
from __future__ import annotations

import numpy as np

from engine.kernels.channels import batch_moments, channel_sums, combine, gradient_sums, scale_and_shift
from engine.kernels.cpu.threads import blocks, parallel, run

BLOCK_BYTES = 1 << 20


def _rows(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


def _blocks(x: np.ndarray) -> list[slice]:
    return blocks(len(x), max(1, BLOCK_BYTES // max(1, x.shape[1] * x.itemsize)))


@channel_sums.register(np.ndarray)
def _(x):
    x = _rows(x)
    return sum(parallel(lambda block: x[block].sum(0), _blocks(x)))


@batch_moments.register(np.ndarray)
def _(x):
    x = _rows(x)
    mean = channel_sums(x) / len(x)

    def squares(block):
        centred = x[block] - mean
        return np.einsum("ij,ij->j", centred, centred)

    return mean, sum(parallel(squares, _blocks(x))) / len(x)


@scale_and_shift.register(np.ndarray)
def _(x, scale, shift):
    y = np.empty(x.shape, np.result_type(x, scale, shift))
    rows, out = _rows(x), _rows(y)

    def job(block):
        np.multiply(rows[block], scale, out=out[block])
        out[block] += shift

    run(job, _blocks(rows))
    return y


@gradient_sums.register(np.ndarray)
def _(dy, x, centre):
    dy, x = _rows(dy), _rows(x)

    def job(block):
        return dy[block].sum(0), np.einsum("ij,ij->j", dy[block], x[block] - centre)

    sums, products = zip(*parallel(job, _blocks(x)), strict=True)
    return sum(sums), sum(products)


@combine.register(np.ndarray)
def _(dy, x, dy_scale, x_scale, shift):
    dx = np.empty(dy.shape, np.result_type(dy, x, dy_scale, x_scale, shift))
    dy_rows, x_rows, out = _rows(dy), _rows(x), _rows(dx)

    def job(block):
        np.multiply(dy_rows[block], dy_scale, out=out[block])
        product = x_rows[block] * x_scale
        product += shift
        out[block] += product

    run(job, _blocks(x_rows))
    return dx
