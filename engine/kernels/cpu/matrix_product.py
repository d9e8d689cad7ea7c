"""The product of two matrices on NumPy arrays: fixed blocks of the longer side of the result, one product each."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.threads import blocks, run
from engine.kernels.matrix_product import matrix_product

# Rows or columns of a product, at least, and about the numbers of the larger matrix that are a job.
LEAST = 512
JOB = 1 << 20


@matrix_product.register(np.ndarray)
def _(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    y = np.empty((a.shape[0], b.shape[1]), np.result_type(a, b))
    height, inner, width = *a.shape, b.shape[1]
    # a column times a row: BLAS takes twice the time of a multiplication of each by each
    multiply = np.multiply if inner == 1 else np.matmul
    if height > width:
        run(lambda rows: multiply(a[rows], b, out=y[rows]), blocks(height, max(LEAST, JOB // max(1, inner, width))))
    else:
        run(lambda columns: multiply(a, b[:, columns], out=y[:, columns]),
            blocks(width, max(LEAST, JOB // max(1, inner, height))))
    return y
