"""Two NumPy arrays put beside each other or added up, some rows of one image at a time."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.rows import Rows, rows_of
from engine.kernels.cpu.threads import run
from engine.kernels.joining import add, concatenate


@concatenate.register(np.ndarray)
def _(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    y = np.empty((*a.shape[:-1], a.shape[-1] + b.shape[-1]), np.result_type(a, b))

    def job(here: Rows) -> None:
        y[here][..., :a.shape[-1]] = a[here]
        y[here][..., a.shape[-1]:] = b[here]

    run(job, rows_of(y.shape))
    return y


@add.register(np.ndarray)
def _(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    total = np.empty(a.shape, np.result_type(a, b))
    run(lambda here: np.add(a[here], b[here], out=total[here]), rows_of(total.shape))
    return total
