"""The product of two matrices on a GPU: by cuBLAS, or by a kernel of our own where there is none.

Arrays that stand in for CuPy's have none, so that the kernel runs in the tests. It computes in the arrays' own type,
whatever precision is asked for.

cuBLAS counts columns first: it sees every array of ours transposed, and is asked for y^T = b^T a^T.
"""
from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.kernels.cuda.arrays import EmulatedArray, c_type, contiguous, empty
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.precision import takes_tf32
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.matrix_product import matrix_product

# cublasComputeType_t: CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_64F; and the default algorithm
COMPUTE_32F, COMPUTE_TF32, COMPUTE_64F, ANY_ALGORITHM = 68, 77, 70, -1


@on_cuda(matrix_product)
def _(a: Array, b: Array) -> Array:
    (a, flipped_a), (b, flipped_b) = _by_rows(a), _by_rows(b)
    rows, depth = a.shape[::-1] if flipped_a else a.shape
    inner, columns = b.shape[::-1] if flipped_b else b.shape
    if depth != inner:
        raise ValueError(f"the matrices are {rows}x{depth} and {inner}x{columns}; expected as many rows of the second "
                         "as columns of the first")
    y = empty((rows, columns), a)
    if isinstance(a, EmulatedArray) or 0 in (rows, depth, columns) or _cublas() is None:
        words = ", ".join("true" if flipped else "false" for flipped in (flipped_a, flipped_b))
        launch(f"matrix_product.product<{c_type(a)}, {words}>", (blocks(rows, 16), blocks(columns, 16)), 256,
               (a, b, y, rows, depth, columns))
    else:
        _by_cublas(a, b, y, flipped_a, flipped_b)
    return y


def _by_rows(matrix: Array) -> tuple[Array, bool]:
    """The matrix, or its transpose and True, whichever has its rows one behind the other; if neither has, a copy."""
    if not matrix.flags.c_contiguous and matrix.flags.f_contiguous:
        return contiguous(matrix.T), True
    return contiguous(matrix), False


@cache
def _cublas() -> Any:
    """CuPy's binding of cuBLAS; None, and a warning, where the library is not installed."""
    try:
        from cupy_backends.cuda.libs import cublas
    except ImportError:
        warnings.warn("cuBLAS is not installed: matrix products take many times as long. Install the wheel "
                      "nvidia-cublas", stacklevel=4)
        return None
    return cublas


def _by_cublas(a: Array, b: Array, y: Array, flipped_a: bool, flipped_b: bool) -> None:
    """y = a b. a, b: arrays by rows, of the matrix or, flipped, of its transpose."""
    import cupy
    single = y.dtype == np.float32
    number: Any = cupy.cuda.runtime.CUDA_R_32F if single else cupy.cuda.runtime.CUDA_R_64F
    compute = (COMPUTE_TF32 if takes_tf32(y) else COMPUTE_32F) if single else COMPUTE_64F
    one, zero = np.ones(1, y.dtype), np.zeros(1, y.dtype)
    depth = a.shape[0] if flipped_a else a.shape[1]
    _cublas().gemmEx(cupy.cuda.get_cublas_handle(), int(flipped_b), int(flipped_a), y.shape[1], y.shape[0], depth,
                     one.ctypes.data, b.data.ptr, number, b.shape[1], a.data.ptr, number, a.shape[1],
                     zero.ctypes.data, y.data.ptr, number, y.shape[1], compute, ANY_ALGORITHM)
