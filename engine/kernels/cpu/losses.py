"""The losses' sums on NumPy arrays: the definitions, of blocks that stay in the cache, added up in order."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernels.cpu.threads import blocks, parallel
from engine.kernels.losses import error_sums, logistic_loss, overlap_sums, sigmoids, softmax_loss

BLOCK = 1 << 16


def _parts(rows: np.ndarray) -> list[slice]:
    """Blocks of rows; no rows, too, are a block: of sums that are 0."""
    return blocks(len(rows), max(1, BLOCK // max(1, rows[:1].size))) or [slice(0, 0)]


@sigmoids.register(np.ndarray)
def _(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z, shape = z.reshape(-1), z.shape
    p, q = (np.empty(z.shape, np.result_type(z)) for _ in range(2))

    def job(part: slice) -> None:
        p[part], q[part] = sigmoids.dispatch(object)(z[part])

    parallel(job, _parts(z))
    return p.reshape(shape), q.reshape(shape)


@logistic_loss.register(np.ndarray)
def _(z: np.ndarray, y: np.ndarray, omega: float) -> tuple[np.ndarray, np.ndarray]:
    value, gradient = _with_gradient(logistic_loss, z.reshape(-1), y.reshape(-1), omega)
    return value, gradient.reshape(z.shape)


@softmax_loss.register(np.ndarray)
def _(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value, gradient = _with_gradient(softmax_loss, z.reshape(-1, z.shape[-1]), y.reshape(-1, y.shape[-1]))
    return value, gradient.reshape(z.shape)


def _with_gradient(kernel: Any, z: np.ndarray, y: np.ndarray, *rest: float) -> tuple[np.ndarray, np.ndarray]:
    gradient = np.empty(z.shape, np.result_type(z, y))

    def job(part: slice) -> Any:
        value, gradient[part] = kernel.dispatch(object)(z[part], y[part], *rest)
        return value

    return np.asarray(sum(parallel(job, _parts(z)))), gradient


@overlap_sums.register(np.ndarray)
def _(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    return _sums(overlap_sums, p.reshape(-1), y.reshape(-1))


@error_sums.register(np.ndarray)
def _(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    return _sums(error_sums, p.reshape(-1), y.reshape(-1))


def _sums(kernel: Any, p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    of_parts = parallel(lambda part: kernel.dispatch(object)(p[part], y[part]), _parts(p))
    return tuple(np.asarray(sum(each)) for each in zip(*of_parts, strict=True))
