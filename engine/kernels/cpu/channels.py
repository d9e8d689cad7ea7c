"""Sums over channels and the passes of batch normalization on NumPy arrays: fixed blocks of rows, summed in order."""
from __future__ import annotations

import numpy as np

from engine.kernels.channels import batch_moments, channel_sums, combine, gradient_sums, scale_and_shift
from engine.kernels.cpu.threads import blocks, parallel, run, scratch

BLOCK_BYTES = 1 << 18
WIDTH = 1024


def _rows(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


def _blocks(x: np.ndarray) -> list[slice]:
    return blocks(len(x), max(1, BLOCK_BYTES // max(1, x.shape[1] * x.itemsize)))


def _sums(rows: np.ndarray, factors: np.ndarray | None = None) -> np.ndarray:
    """Sums over the rows of (R, C), each row multiplied by its factors if there are any: (C,).

    About WIDTH running sums stand side by side and are added in the end: one long sum would lose the digits of its
    last terms.
    """
    channels = rows.shape[1]
    side = max(1, min(len(rows), WIDTH // channels))
    whole = len(rows) // side * side

    def running(part, width):
        wide = rows[part].reshape(-1, width * channels)
        sums = wide.sum(0) if factors is None else np.einsum("ij,ij->j", wide, factors[part].reshape(wide.shape))
        return sums.reshape(width, channels).sum(0)

    return running(slice(whole), side) + running(slice(whole, None), 1)


@channel_sums.register(np.ndarray)
def _(x):
    x = _rows(x)
    return sum(parallel(lambda block: _sums(x[block]), _blocks(x)))


@batch_moments.register(np.ndarray)
def _(x):
    x = _rows(x)
    mean = channel_sums(x) / len(x)

    def squares(block):
        centred = np.subtract(x[block], mean, out=scratch("centred", x[block].shape, mean.dtype))
        return _sums(centred, centred)

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
        centred = np.subtract(x[block], centre, out=scratch("centred", x[block].shape, np.result_type(x, centre)))
        return _sums(dy[block]), _sums(dy[block], centred)

    sums, products = zip(*parallel(job, _blocks(x)), strict=True)
    return sum(sums), sum(products)


@combine.register(np.ndarray)
def _(dy, x, dy_scale, x_scale, shift):
    dx = np.empty(dy.shape, np.result_type(dy, x, dy_scale, x_scale, shift))
    dy_rows, x_rows, out = _rows(dy), _rows(x), _rows(dx)

    def job(block):
        np.multiply(dy_rows[block], dy_scale, out=out[block])
        product = np.multiply(x_rows[block], x_scale, out=scratch("combine", x_rows[block].shape, dx.dtype))
        out[block] += shift
        out[block] += product

    run(job, _blocks(x_rows))
    return dx
