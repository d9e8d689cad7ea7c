"""Pixels repeated on NumPy arrays, some rows of one image at a time."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.rows import Rows, rows_of
from engine.kernels.cpu.threads import run
from engine.kernels.resampling import upsample, upsample_gradient


@upsample.register(np.ndarray)
def _(x: np.ndarray, factor: int) -> np.ndarray:
    n, height, width, channels = x.shape
    y = np.empty((n, height, factor, width, factor, channels), np.result_type(x))
    run(lambda here: np.copyto(y[here], x[here][:, :, None, :, None]), rows_of(y.shape))
    return y.reshape(n, factor * height, factor * width, channels)


@upsample_gradient.register(np.ndarray)
def _(dy: np.ndarray, factor: int) -> np.ndarray:
    n, height, width, channels = dy.shape
    dx = np.empty((n, height // factor, width // factor, channels), np.result_type(dy))
    places = [dy[:, u::factor, v::factor] for u in range(factor) for v in range(factor)]

    def job(here: Rows) -> None:
        np.copyto(dx[here], places[0][here])
        for dy_uv in places[1:]:
            dx[here] += dy_uv[here]

    run(job, rows_of(dx.shape))
    return dx
