"""Adam on NumPy arrays: the operations of the definition, in its order, on blocks that stay in the cache."""
from __future__ import annotations

import numpy as np

from engine.kernels.adam import adam_update, adam_update_all
from engine.kernels.cpu.threads import blocks, run, scratch

# In elements: six arrays of a block fit in the caches, and a job is long enough to be worth waking a thread.
BLOCK = 1 << 17
JOB = 1 << 19


# one after the other, each on all threads; mypy takes the list for what is dispatched on
adam_update_all.register(np.ndarray)(adam_update_all.dispatch(object))  # type: ignore[misc]


@adam_update.register(np.ndarray)
def _(parameter: np.ndarray, gradient: np.ndarray, m1: np.ndarray, m2: np.ndarray, step: int, learning_rate: float,
      beta1: float, beta2: float, epsilon: float) -> None:
    if not all(array.flags.c_contiguous for array in (parameter, m1, m2)):  # there is no flat view to write through
        adam_update.dispatch(object)(parameter, gradient, m1, m2, step, learning_rate, beta1, beta2, epsilon)
        return
    parameter, gradient, m1, m2 = (array.reshape(-1) for array in (parameter, gradient, m1, m2))

    def update(block: slice) -> None:
        theta, g, mean, square = parameter[block], gradient[block], m1[block], m2[block]
        change, root = (scratch(name, g.shape, theta.dtype) for name in ("adam change", "adam root"))
        mean *= beta1
        np.multiply(g, 1 - beta1, out=change)
        mean += change
        square *= beta2
        np.multiply(g, g, out=change)
        change *= 1 - beta2
        square += change
        np.divide(mean, 1 - beta1**step, out=change)
        np.divide(square, 1 - beta2**step, out=root)
        np.sqrt(root, out=root)
        root += epsilon
        change /= root
        change *= learning_rate
        theta -= change

    def job(part: slice) -> None:
        for block in blocks(part.stop - part.start, BLOCK):
            update(slice(part.start + block.start, part.start + block.stop))

    run(job, blocks(parameter.size, JOB))
