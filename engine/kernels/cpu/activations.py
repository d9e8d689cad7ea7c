"""ReLU and its gradient on NumPy arrays, in blocks that stay in the cache."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.kernels.activations import relu, relu_gradient
from engine.kernels.cpu.threads import blocks, run, scratch

BLOCK = 1 << 16
JOB = 1 << 19


def apply(activation: Callable[[np.ndarray], np.ndarray], a: np.ndarray) -> None:
    """a = activation(a), in place where that is known to be possible."""
    if activation is relu and a.dtype.kind == "f":
        np.maximum(a, 0, out=a)
    else:
        a[...] = activation(a)


@relu.register(np.ndarray)
def _(a):
    if a.dtype.kind != "f":
        return relu.dispatch(object)(a)
    o = np.empty(a.shape, a.dtype)
    rows, out = a.reshape(-1), o.reshape(-1)
    run(lambda part: np.maximum(rows[part], 0, out=out[part]), blocks(out.size, JOB))
    return o


@relu_gradient.register(np.ndarray)
def _(do, o):
    da = np.empty(do.shape, do.dtype)
    do, o, out = do.reshape(-1), o.real.reshape(-1), da.reshape(-1)

    def job(part):
        for block in blocks(part.stop - part.start, BLOCK):
            here = slice(part.start + block.start, part.start + block.stop)
            positive = scratch("relu positive", o[here].shape, np.dtype(bool))
            np.greater(o[here], 0, out=positive)
            np.multiply(do[here], positive, out=out[here])

    run(job, blocks(out.size, JOB))
    return da
