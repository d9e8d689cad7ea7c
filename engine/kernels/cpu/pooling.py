"""Max-pooling on NumPy arrays, some rows of one image at a time."""
from __future__ import annotations

import numpy as np

from engine.kernels.convolution import Pair, output_size
from engine.kernels.cpu.rows import Rows, rows_of
from engine.kernels.cpu.threads import run, scratch
from engine.kernels.normalization import combine_pooled
from engine.kernels.pooling import max_pool, max_pool_gradient, windows


def tiles(shape: tuple[int, ...], size: Pair) -> bool:
    """Do windows of this size, side by side, cover all of x, (N, H, W, C)?"""
    return shape[1] % size[0] == 0 and shape[2] % size[1] == 0


@max_pool.register(np.ndarray)
def _(x: np.ndarray, size: Pair, stride: Pair, places: bool = True) -> tuple[np.ndarray, np.ndarray | None]:
    if np.iscomplexobj(x):  # complex-step differentiation: NumPy's maximum would compare imaginary parts, too
        return max_pool.dispatch(object)(x.astype(np.result_type(x), copy=False), size, stride, places)
    height, width = (output_size(x.shape[1 + axis], size[axis], stride[axis], (0, 0)) for axis in (0, 1))
    y = np.empty((len(x), height, width, x.shape[3]), np.result_type(x))
    place = np.zeros(y.shape, np.uint8) if places else None
    first, *others = (x[index] for index in windows(x.shape, size, stride))

    def job(here: Rows) -> None:
        largest = y[here]
        np.copyto(largest, first[here])
        larger = scratch("pool larger", largest.shape, np.dtype(bool))
        for k, x_uv in enumerate(others, start=1):
            if place is not None:  # k grows: the last that was larger stays
                np.greater(x_uv[here], largest, out=larger)
                np.maximum(place[here], larger.view(np.uint8) * np.uint8(k), out=place[here])
            np.maximum(largest, x_uv[here], out=largest)

    run(job, rows_of(y.shape))
    return y, place


@max_pool_gradient.register(np.ndarray)
def _(dy: np.ndarray, place: np.ndarray, shape: tuple[int, ...], size: Pair, stride: Pair) -> np.ndarray:
    dx = np.empty(shape, np.result_type(dy))
    if size == stride and tiles(shape, size):
        places = [dx[index] for index in windows(shape, size, stride)]

        def tiled(here: Rows) -> None:
            chosen = scratch("pool chosen", dy[here].shape, np.dtype(bool))
            for k, dx_uv in enumerate(places):
                np.equal(place[here], k, out=chosen)
                np.multiply(dy[here], chosen, out=dx_uv[here])

        run(tiled, rows_of(dy.shape))
        return dx

    def overlapping(n: int) -> None:
        dx[n] = 0
        for k, index in enumerate(windows(shape, size, stride)):
            dx[n:n + 1][index] += dy[n:n + 1] * (place[n:n + 1] == k)

    run(overlapping, range(len(dy)))
    return dx


@combine_pooled.register(np.ndarray)
def _(dy: np.ndarray, x: np.ndarray, centre: np.ndarray, dy_scale: np.ndarray, x_scale: np.ndarray, shift: np.ndarray,
      place: np.ndarray, size: Pair) -> np.ndarray:
    """The same bits as those of the definition's two steps, but g, as large as x, is never in memory as a whole: each
    number of dy_scale g is added while its block of dx lies in the cache."""
    vectors = (centre, dy_scale, x_scale, shift)
    if not tiles(x.shape, size) or any(each.dtype != x.dtype for each in (dy, *vectors)):
        return combine_pooled.dispatch(object)(dy, x, *vectors, place, size)
    n, height, width, channels = dy.shape
    dx = np.empty(x.shape, x.dtype.newbyteorder("="))
    of_windows = (n, height, size[0] * size[1] * width * channels)  # a row of windows is some whole rows of x
    x_rows, dx_rows = x.reshape(of_windows), dx.reshape(of_windows)
    dx_windows = dx.reshape(n, height, size[0], width, size[1], channels)
    centre, dy_scale, x_scale, shift = (np.tile(vector, width) for vector in vectors)  # NumPy likes long rows

    def job(here: Rows) -> None:
        rest = dx_rows[here].reshape(-1, width * channels)
        np.subtract(x_rows[here].reshape(rest.shape), centre, out=rest)
        np.multiply(rest, x_scale, out=rest)
        np.add(rest, shift, out=rest)
        chosen = scratch("pool chosen", dy[here].shape, np.dtype(bool))
        g = scratch("pool gradient", chosen.shape, dx.dtype)
        scaled = g.reshape(-1, width * channels)
        for k in range(size[0] * size[1]):
            np.equal(place[here], k, out=chosen)
            np.multiply(dy[here], chosen, out=g)
            np.multiply(scaled, dy_scale, out=scaled)
            dx_uv = dx_windows[here][:, :, k // size[1], :, k % size[1]]
            np.add(g, dx_uv, out=dx_uv)

    run(job, rows_of(dy.shape))
    return dx
