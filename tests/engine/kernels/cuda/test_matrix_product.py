"""Products that cuBLAS computes, which a stand-in of gemmEx shows: it reads what the pointers lead to, columns first.

What this cannot show is cuBLAS itself: whether it takes the types together, how fast and how exact it is.
"""
import ctypes
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from engine.kernels import matrix_product
from engine.kernels.cuda import matrix_product as launcher
from engine.kernels.cuda.arrays import emulated
from engine.kernels.cuda.precision import use_precision

R_32F, R_64F = 0, 1  # cudaDataType_t
SHAPES = [(5, 7, 3), (1, 4, 6), (4, 1, 5), (3, 5, 1)]  # rows, depth, columns


class CublasArray(np.ndarray):
    """CuPy's array: its class's name and module, and where its numbers lie."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)


CublasArray.__name__, CublasArray.__module__ = "ndarray", "cupy"


def column_major(pointer, dtype, rows, columns, leading):
    """The matrix (rows, columns) that cuBLAS sees at an address: its columns begin `leading` numbers apart."""
    count = leading * (columns - 1) + rows
    assert leading >= rows
    memory = np.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(np.ctypeslib.as_ctypes_type(dtype))), (count,))
    return np.lib.stride_tricks.as_strided(memory, (rows, columns), (memory.itemsize, leading * memory.itemsize))


@pytest.fixture
def gemm_ex(monkeypatch):
    """The compute types that gemmEx was called with."""
    computed = []

    def call(handle, flip_a, flip_b, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc, compute,
             algorithm):
        assert handle == "handle" and a_type == b_type == c_type and algorithm == -1
        dtype = {R_32F: "float32", R_64F: "float64"}[c_type]
        alpha, beta = (column_major(pointer, dtype, 1, 1, 1)[0, 0] for pointer in (alpha, beta))
        first = column_major(a, dtype, *((k, m) if flip_a else (m, k)), lda)
        second = column_major(b, dtype, *((n, k) if flip_b else (k, n)), ldb)
        assert (alpha, beta) == (1, 0)
        column_major(c, dtype, m, n, ldc)[...] = (first.T if flip_a else first) @ (second.T if flip_b else second)
        computed.append(compute)

    cublas = SimpleNamespace(gemmEx=call)
    for name, module in {
            "cupy": SimpleNamespace(cuda=SimpleNamespace(
                runtime=SimpleNamespace(CUDA_R_32F=R_32F, CUDA_R_64F=R_64F), get_cublas_handle=lambda: "handle")),
            "cupy_backends": SimpleNamespace(), "cupy_backends.cuda": SimpleNamespace(),
            "cupy_backends.cuda.libs": SimpleNamespace(cublas=cublas)}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(launcher, "empty", lambda shape, like: np.full(shape, np.nan, like.dtype).view(CublasArray))
    monkeypatch.setattr(launcher, "contiguous", lambda array: np.ascontiguousarray(array).view(CublasArray))
    launcher._cublas.cache_clear()
    yield computed
    launcher._cublas.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("flipped_b", [False, True])
@pytest.mark.parametrize("flipped_a", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cublas_is_asked_for_the_product(shape, flipped_a, flipped_b, dtype, gemm_ex):
    rng, (rows, depth, columns) = np.random.default_rng(10), shape
    a, b = rng.normal(size=(rows, depth)).astype(dtype), rng.normal(size=(depth, columns)).astype(dtype)
    given = [(each.T.copy().T if flipped else each).view(CublasArray)
             for each, flipped in ((a, flipped_a), (b, flipped_b))]
    y = matrix_product(*given)
    np.testing.assert_allclose(np.asarray(y), a @ b, rtol=0, atol={"float32": 1e-5, "float64": 1e-13}[dtype])
    assert gemm_ex == [{"float32": 68, "float64": 70}[dtype]]


@pytest.mark.parametrize(("dtype", "compute"), [("float32", 77), ("float64", 70)])
def test_tf32_is_asked_for_only_where_it_is_wanted(dtype, compute, gemm_ex):
    a = np.ones((4, 4), dtype).view(CublasArray)
    with use_precision("tf32"):
        matrix_product(a, a)
    matrix_product(a, a)
    assert gemm_ex == [compute, {"float32": 68, "float64": 70}[dtype]]


def test_without_cublas_the_kernel_computes_and_a_warning_says_so(gemm_ex, monkeypatch):
    monkeypatch.delattr(sys.modules["cupy_backends.cuda.libs"], "cublas")
    launched = []
    monkeypatch.setattr(launcher, "launch", lambda name, *rest: launched.append(name))
    a = np.ones((4, 4), "float32").view(CublasArray)
    with pytest.warns(UserWarning, match="cuBLAS is not installed: .* Install the wheel nvidia-cublas"):
        matrix_product(a, a)
    assert launched == ["matrix_product.product<float, false, false>"] and not gemm_ex


def test_matrices_that_do_not_fit_are_refused():
    a, b = (emulated(np.ones(shape)) for shape in ((2, 3), (4, 5)))
    with pytest.raises(ValueError, match="the matrices are 2x3 and 4x5; expected as many rows of the second"):
        matrix_product(a, b)
