"""Max-pooling on NumPy arrays, one image at a time."""
from __future__ import annotations

import numpy as np

from engine.kernels.convolution import output_size
from engine.kernels.cpu.threads import run
from engine.kernels.pooling import max_pool, max_pool_gradient, windows


@max_pool.register(np.ndarray)
def _(x, size, stride):
    if np.iscomplexobj(x):  # complex-step differentiation: NumPy's maximum would compare imaginary parts, too
        return max_pool.dispatch(object)(x, size, stride)
    height, width = (output_size(x.shape[1 + axis], size[axis], stride[axis], (0, 0)) for axis in (0, 1))
    y = np.empty((len(x), height, width, x.shape[3]), x.dtype)
    place = np.zeros(y.shape, np.uint8)

    def job(n):
        first, *others = (x[n:n + 1][index] for index in windows(x.shape, size, stride))
        largest, where = y[n:n + 1], place[n:n + 1]
        largest[...] = first
        for k, x_uv in enumerate(others, start=1):
            larger = x_uv > largest
            np.maximum(largest, x_uv, out=largest)
            np.maximum(where, larger.view(np.uint8) * np.uint8(k), out=where)  # k grows: the last that was larger stays

    run(job, range(len(x)))
    return y, place


@max_pool_gradient.register(np.ndarray)
def _(dy, place, shape, size, stride):
    dx = np.empty(shape, dy.dtype)
    tiled = size == stride and shape[1] % size[0] == 0 and shape[2] % size[1] == 0

    def job(n):
        if not tiled:
            dx[n] = 0
        for k, index in enumerate(windows(shape, size, stride)):
            here = dx[n:n + 1][index]
            if tiled:
                np.multiply(dy[n], place[n] == k, out=here[0])
            else:
                here += dy[n:n + 1] * (place[n:n + 1] == k)

    run(job, range(len(dy)))
    return dx
