"""The losses' sums on NumPy arrays: the definitions, of blocks that stay in the cache, added up in order."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.kernels.cpu.threads import blocks, parallel
from engine.kernels.losses import error_sums, logistic_loss, overlap_sums, sigmoids, softmax_loss

BLOCK = 1 << 16


def _of_blocks(kernel: Any, arrays: list[np.ndarray], *rest: Any) -> list[tuple[np.ndarray, ...]]:
    """The definition's results for every block of the arrays' rows."""
    parts = blocks(len(arrays[0]), max(1, BLOCK // max(1, arrays[0][:1].size)))
    return parallel(lambda part: kernel.dispatch(object)(*(array[part] for array in arrays), *rest),
                    parts or [slice(0, 0)])


def _summed(results: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(sum(each)) for each in zip(*results, strict=True))


@sigmoids.register(np.ndarray)
def _(z: np.ndarray) -> tuple[np.ndarray, ...]:
    results = _of_blocks(sigmoids, [z.reshape(-1)])
    return tuple(np.concatenate(each).reshape(z.shape) for each in zip(*results, strict=True))


@logistic_loss.register(np.ndarray)
def _(z: np.ndarray, y: np.ndarray, omega: float) -> tuple[np.ndarray, np.ndarray]:
    values, gradients = zip(*_of_blocks(logistic_loss, [z.reshape(-1), y.reshape(-1)], omega), strict=True)
    return np.asarray(sum(values)), np.concatenate(gradients).reshape(z.shape)


@softmax_loss.register(np.ndarray)
def _(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = [array.reshape(-1, z.shape[-1]) for array in (z, y)]
    values, gradients = zip(*_of_blocks(softmax_loss, rows), strict=True)
    return np.asarray(sum(values)), np.concatenate(gradients).reshape(z.shape)


@overlap_sums.register(np.ndarray)
def _(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    return _summed(_of_blocks(overlap_sums, [p.reshape(-1), y.reshape(-1)]))


@error_sums.register(np.ndarray)
def _(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    return _summed(_of_blocks(error_sums, [p.reshape(-1), y.reshape(-1)]))
