"""Pixels repeated and tensors put beside each other on NumPy arrays, some rows of one image at a time."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.threads import blocks, run
from engine.kernels.moving import add, concatenate, upsample, upsample_gradient

# Numbers of a job.
JOB = 1 << 18


def _jobs(shape: tuple[int, ...]) -> list[tuple]:
    """(image, rows) of an array of this shape, (N, H, ...); all of one that has no rows, (N, C)."""
    if len(shape) < 3:
        return [(slice(None), slice(None))[:len(shape)]]
    rows = blocks(shape[1], max(1, JOB // max(1, int(np.prod(shape[2:])))))
    return [(n, part) for n in range(shape[0]) for part in rows]


@upsample.register(np.ndarray)
def _(x, factor):
    n, height, width, channels = x.shape
    y = np.empty((n, height, factor, width, factor, channels), np.result_type(x))
    run(lambda here: np.copyto(y[here], x[here][:, None, :, None]), _jobs(y.shape))
    return y.reshape(n, factor * height, factor * width, channels)


@upsample_gradient.register(np.ndarray)
def _(dy, factor):
    n, height, width, channels = dy.shape
    dx = np.empty((n, height // factor, width // factor, channels), np.result_type(dy))
    places = [dy[:, u::factor, v::factor] for u in range(factor) for v in range(factor)]

    def job(here):
        np.copyto(dx[here], places[0][here])
        for dy_uv in places[1:]:
            dx[here] += dy_uv[here]

    run(job, _jobs(dx.shape))
    return dx


@concatenate.register(np.ndarray)
def _(a, b):
    y = np.empty((*a.shape[:-1], a.shape[-1] + b.shape[-1]), np.result_type(a, b))

    def job(here):
        y[here][..., :a.shape[-1]] = a[here]
        y[here][..., a.shape[-1]:] = b[here]

    run(job, _jobs(y.shape))
    return y


@add.register(np.ndarray)
def _(a, b):
    total = np.empty(a.shape, np.result_type(a, b))
    run(lambda here: np.add(a[here], b[here], out=total[here]), _jobs(total.shape))
    return total
