"""The matrices of Winograd's minimal filtering, and the transforms of the kernel: see __init__.py."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.threads import scratch
from engine.kernels.cpu.winograd.tiles import POINTS, transform

PLACES = (0, 3 / 4, -3 / 4, 3 / 2, -3 / 2)  # and oo


def _matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A' (4 x 6), B' (6 x 6) and G (6 x 3) for PLACES and oo."""
    AT, BT, G = np.zeros((4, POINTS)), np.zeros((POINTS, POINTS)), np.zeros((POINTS, 3))
    for k, p in enumerate(PLACES):
        others = [other for other in PLACES if other != p]
        AT[:, k] = [p**i for i in range(4)]
        BT[k, :-1] = np.poly(others)[::-1]
        G[k] = [p**u / np.prod([p - other for other in others]) for u in range(3)]
    BT[-1] = np.poly(PLACES)[::-1]
    AT[-1, -1] = G[-1, -1] = 1
    return AT, BT, G


AT, BT, G = _matrices()


def transform_kernel(kernel: np.ndarray, U: np.ndarray) -> None:
    """U = G W G'. kernel: (3, 3, C, O), U: (6, 6, C, O)."""
    g = G.astype(U.dtype)
    copied = scratch("winograd kernel", kernel.shape, U.dtype)
    down = scratch("winograd kernel down", (POINTS, *kernel.shape[1:]), U.dtype)
    _copy_kernel(kernel, copied)
    transform(g, copied.reshape(3, -1), down.reshape(POINTS, -1))
    transform(g, down.reshape(POINTS, 3, -1), U.reshape(POINTS, POINTS, -1))


def _copy_kernel(kernel: np.ndarray, copied: np.ndarray) -> None:
    """Both (3, 3, C, O). The kernel of backward is a view with in and out exchanged: its memory has to be transposed.

    Its rows lie a power of two apart, so that a column of it falls into very few places of the cache. Rows copied to
    a distance that is none are transposed four times as fast.
    """
    if abs(kernel.strides[2]) >= abs(kernel.strides[3]):
        np.copyto(copied, kernel)
        return
    channels, outputs = kernel.shape[2:]
    rows = scratch("winograd kernel rows", (outputs, channels + 16), copied.dtype)[:, :channels]
    for place in np.ndindex(kernel.shape[:2]):
        np.copyto(rows, kernel[place].T)
        np.copyto(copied[place], rows.T)


def transform_back(dU: np.ndarray) -> np.ndarray:
    """dW = G' dU G: (6, 6, C, O) -> (3, 3, C, O)."""
    g = np.ascontiguousarray(G.T, dU.dtype)
    down = scratch("winograd kernel down", (3, *dU.shape[1:]), dU.dtype)
    dW = scratch("winograd kernel", (3, 3, *dU.shape[2:]), dU.dtype)
    transform(g, dU.reshape(POINTS, -1), down.reshape(3, -1))
    transform(g, down.reshape(3, POINTS, -1), dW.reshape(3, 3, -1))
    return dW
