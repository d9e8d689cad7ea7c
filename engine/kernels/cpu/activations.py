"""ReLU and its gradient on NumPy arrays, in blocks that stay in the cache."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.kernels.activations import relu, relu_gradient
from engine.kernels.cpu.normalization import by_blocks, sums
from engine.kernels.cpu.threads import blocks, run, scratch

JOB = 1 << 19


def apply(activation: Callable[[np.ndarray], np.ndarray], a: np.ndarray) -> None:
    """a = activation(a), in place where that is known to be possible."""
    if activation is relu and a.dtype.kind == "f":
        np.maximum(a, 0, out=a)
    else:
        a[...] = activation(a)


@relu.register(np.ndarray)
def _(a: np.ndarray) -> np.ndarray:
    if a.dtype.kind != "f":
        return relu.dispatch(object)(a)
    o = np.empty(a.shape, np.result_type(a))
    rows, out = a.reshape(-1), o.reshape(-1)
    run(lambda part: np.maximum(rows[part], 0, out=out[part]), blocks(out.size, JOB))
    return o


@relu_gradient.register(np.ndarray)
def _(do: np.ndarray, o: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    da, channels = np.empty(do.shape, np.result_type(do)), do.shape[-1]

    def job(do: np.ndarray, o: np.ndarray, da: np.ndarray) -> np.ndarray:
        np.multiply(do, np.greater(o, 0, out=scratch("relu positive", o.shape, np.dtype(bool))), out=da)
        return sums(da, channels)

    return da, np.asarray(sum(by_blocks(job, [do, o.real, da], [])))
