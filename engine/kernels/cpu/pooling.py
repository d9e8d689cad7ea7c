"""Max-pooling on NumPy arrays, some rows of one image at a time, and its gradient, alone and inside batch norm's."""
from __future__ import annotations

import numpy as np

from engine.kernels.convolution import Pair, output_size
from engine.kernels.cpu.rows import Rows, rows_of
from engine.kernels.cpu.threads import run, scratch
from engine.kernels.pooling import combine_unpooled, max_pool, max_pool_gradient, windows


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
    if size == stride and shape[1] % size[0] == 0 and shape[2] % size[1] == 0:
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


@combine_unpooled.register(np.ndarray)
def _(dy: np.ndarray, x: np.ndarray, centre: np.ndarray, dy_scale: np.ndarray, x_scale: np.ndarray,
      shift: np.ndarray, place: np.ndarray, size: Pair) -> np.ndarray:
    """g, as large as x, is never written: it is added window by window to what combine makes of x."""
    if x.shape[1] % size[0] or x.shape[2] % size[1]:
        return combine_unpooled.dispatch(object)(dy, x, centre, dy_scale, x_scale, shift, place, size)
    dx = np.empty(x.shape, np.result_type(dy, x, centre, dy_scale, x_scale, shift))
    # whole rows of an image and vectors as long: NumPy goes through them faster
    x_rows, dx_rows = (array.reshape(*x.shape[:2], x.shape[2] * x.shape[3]) for array in (x, dx))
    centre, x_scale, shift = (np.tile(vector, x.shape[2]) for vector in (centre, x_scale, shift))
    places = [dx[index] for index in windows(x.shape, size, size)]

    def job(here: Rows) -> None:
        images, some = here
        above = slice(size[0] * some.start, size[0] * some.stop)
        out = dx_rows[images, above]
        np.subtract(x_rows[images, above], centre, out=out)
        np.multiply(out, x_scale, out=out)
        np.add(out, shift, out=out)
        scaled = np.multiply(dy[here], dy_scale, out=scratch("pool scaled", dy[here].shape, dx.dtype))
        chosen = scratch("pool chosen", scaled.shape, np.dtype(bool))
        g = scratch("pool g", scaled.shape, dx.dtype)
        for k, dx_uv in enumerate(places):
            np.equal(place[here], k, out=chosen)
            np.multiply(scaled, chosen, out=g)
            np.add(dx_uv[here], g, out=dx_uv[here])

    run(job, rows_of(dy.shape))
    return dx
