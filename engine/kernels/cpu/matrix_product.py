"""The product of two matrices on NumPy arrays: fixed blocks of the longer side of the result, one product each."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.threads import blocks, run
from engine.kernels.matrix_product import matrix_product

BLOCK = 256


@matrix_product.register(np.ndarray)
def _(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    y = np.empty((a.shape[0], b.shape[1]), np.result_type(a, b))
    if y.shape[0] > y.shape[1]:
        run(lambda rows: np.matmul(a[rows], b, out=y[rows]), blocks(len(y), BLOCK))
    else:
        run(lambda columns: np.matmul(a, b[:, columns], out=y[:, columns]), blocks(y.shape[1], BLOCK))
    return y
