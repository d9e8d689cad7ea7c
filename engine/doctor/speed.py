"""How fast the engine multiplies and convolves here, in float32, through its own kernels.

GFLOP/s: 10^9 of the operations that the definitions ask for, a multiplication and an addition for each pair of numbers,
in a second. A convolution by Winograd's method makes fewer, so that its figure may be above the processor's own.
"""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.doctor.cuda import usable_cupy
from engine.kernels import correlate, matrix_product

SECONDS = 0.7  # for each measurement, and one call before it
CPU, GPU = (1024, 16), (8192, 64)  # side of the matrices, images


def on_numpy() -> tuple[str, dict[str, Any]]:
    """Through NumPy's versions of the kernels, on all processors."""
    return _measured(*CPU, np.asarray, lambda: None)


def on_cuda() -> tuple[str, dict[str, Any]]:
    """Raises Absent without a GPU."""
    library = usable_cupy()
    return _measured(*GPU, library.asarray, library.cuda.runtime.deviceSynchronize)


def _measured(side: int, images: int, move: Callable, wait: Callable[[], Any]) -> tuple[str, dict[str, Any]]:
    rng = np.random.default_rng(0)
    a, b = (move(rng.random((side, side), np.float32)) for _ in range(2))
    x, kernel = move(rng.random((images, 64, 64, 64), np.float32)), move(rng.random((3, 3, 64, 64), np.float32))
    product = 2 * side**3 / _seconds(lambda: matrix_product(a, b), wait) / 1e9
    convolution = 2 * images * 64 * 64 * 9 * 64 * 64 / _seconds(
        lambda: correlate(x, kernel, None, (1, 1), ((1, 1), (1, 1))), wait) / 1e9
    return (f"{product:.0f} GFLOP/s in a matrix product of {side}, "
            f"{convolution:.0f} in a 3x3 convolution of 64 channels",
            {"matrix_product_gflops": round(product, 1), "matrix_side": side,
             "convolution_gflops": round(convolution, 1), "convolution": [images, 64, 64, 64]})


def _seconds(function: Callable[[], Any], wait: Callable[[], Any]) -> float:
    """The least time of a call, of those that fit in SECONDS, the first not among them."""
    function()
    wait()
    least, begun = float("inf"), time.perf_counter()
    while least == float("inf") or time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        function()
        wait()
        least = min(least, time.perf_counter() - start)
    return least
