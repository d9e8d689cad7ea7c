"""Adam on a GPU."""
from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.kernels.adam import adam_update, adam_update_all
from engine.kernels.cuda.arrays import c_type, contiguous, moved
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.registration import on_cuda

THREADS, PER_BLOCK = 256, 1024


@on_cuda(adam_update)
def _(parameter: Array, gradient: Array, m1: Array, m2: Array, step: int, learning_rate: float, beta1: float,
      beta2: float, epsilon: float) -> None:
    if not all(array.flags.c_contiguous for array in (parameter, m1, m2)):  # copies would be written to
        adam_update.dispatch(object)(parameter, gradient, m1, m2, step, learning_rate, beta1, beta2, epsilon)
        return
    launch(f"adam.adam_update<{c_type(parameter)}>", blocks(parameter.size, THREADS), THREADS,
           (parameter, contiguous(gradient), m1, m2, parameter.size,
            *_numbers(step, learning_rate, beta1, beta2, epsilon)))


@on_cuda(adam_update_all)
def _(parameters: list[Array], gradients: list[Array], m1s: list[Array], m2s: list[Array], step: int,
      learning_rate: float, beta1: float, beta2: float, epsilon: float) -> None:
    if not all(array.flags.c_contiguous for array in (*parameters, *m1s, *m2s)):
        adam_update_all.dispatch(object)(parameters, gradients, m1s, m2s, step, learning_rate, beta1, beta2, epsilon)
        return
    counts = np.array([array.size for array in parameters], np.int64)
    ends = np.cumsum(-(-counts // PER_BLOCK))
    first = parameters[0]
    launch(f"adam.adam_update_all<{c_type(first)}, {PER_BLOCK}>", int(ends[-1]), THREADS,
           ([*parameters, *map(contiguous, gradients), *m1s, *m2s], moved(counts, first), moved(ends, first),
            len(parameters), *_numbers(step, learning_rate, beta1, beta2, epsilon)))


def _numbers(step: int, learning_rate: float, beta1: float, beta2: float, epsilon: float) -> tuple[float, ...]:
    """As the kernels take them."""
    return learning_rate, beta1, 1 - beta1, 1 - beta1**step, beta2, 1 - beta2, 1 - beta2**step, epsilon
