"""Adam on NumPy arrays in one walk over all parameters.

With the corrections c1 = 1 - beta1^step and c2 = 1 - beta2^step a parameter changes by

    lambda (m1 / c1) / (sqrt(m2 / c2) + epsilon) = (lambda sqrt(c2) / c1) (m1 / (sqrt(m2) + sqrt(c2) epsilon))

The left side is the definition; the right one, Kingma and Ba's of their section 2, divides every number once and not
three times.

From memory 28 bytes a number have to come and go: four arrays are read and three written. A block of them stays in the
cache for all twelve operations.
"""
from __future__ import annotations

from math import sqrt

import numpy as np

from engine.kernels.adam import adam_update, adam_update_all
from engine.kernels.cpu.threads import blocks, run, scratch

# Numbers of a block, at most: its six arrays fit in the caches, and every call is long enough for two threads.
BLOCK = 1 << 17
# An array of fewer numbers is done before: a second thread would wait for the first's short calls, not work.
FEW = 1 << 15

Arrays = list[np.ndarray]


@adam_update.register(np.ndarray)
def _(parameter: np.ndarray, gradient: np.ndarray, m1: np.ndarray, m2: np.ndarray, step: int, learning_rate: float,
      beta1: float, beta2: float, epsilon: float) -> None:
    _update_all([parameter], [gradient], [m1], [m2], step, learning_rate, beta1, beta2, epsilon)


@adam_update_all.register(np.ndarray)
def _update_all(parameters: Arrays, gradients: Arrays, m1s: Arrays,  # type: ignore[misc]  # it dispatches on no list
                m2s: Arrays, step: int, learning_rate: float, beta1: float, beta2: float, epsilon: float) -> None:
    root = sqrt(1 - beta2**step)
    rate = learning_rate * root / (1 - beta1**step)

    def update(arrays: Arrays) -> None:
        theta, g, mean, square = arrays
        change, divisor = (scratch(name, g.shape, theta.dtype) for name in ("adam change", "adam divisor"))
        np.multiply(mean, beta1, out=mean)
        np.multiply(g, 1 - beta1, out=change)
        np.add(mean, change, out=mean)
        np.multiply(square, beta2, out=square)
        np.multiply(g, g, out=change)
        np.multiply(change, 1 - beta2, out=change)
        np.add(square, change, out=square)
        np.sqrt(square, out=divisor)
        np.add(divisor, root * epsilon, out=divisor)
        np.divide(mean, divisor, out=change)
        np.multiply(change, rate, out=change)
        np.subtract(theta, change, out=theta)

    jobs: list[Arrays] = []
    for parameter, gradient, m1, m2 in zip(parameters, gradients, m1s, m2s, strict=True):
        if not all(array.flags.c_contiguous for array in (parameter, m1, m2)):  # no flat view to write through
            adam_update.dispatch(object)(parameter, gradient, m1, m2, step, learning_rate, beta1, beta2, epsilon)
            continue
        flat = [array.reshape(-1) for array in (parameter, gradient, m1, m2)]
        size = parameter.size
        if size < FEW:
            update(flat)
        else:
            alike = -(-size // -(-size // BLOCK))
            jobs += [[array[part] for array in flat] for part in blocks(size, alike)]
    run(update, jobs)
