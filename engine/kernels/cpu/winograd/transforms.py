"""The matrices of Winograd's minimal filtering, and the transforms of the kernel: see __init__.py."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.threads import blocks, run, scratch
from engine.kernels.cpu.winograd.tiles import POINTS, transform

# Pairs of channels of a kernel that are transformed by one job.
KERNEL_BLOCK = 1 << 14

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


def transform_whole(kernel: np.ndarray, U: np.ndarray) -> None:
    """U = G W G'. kernel: (3, 3, C, O), U: (6, 6, slices, C, outputs of a slice)."""
    def job(some: slice) -> None:
        part = scratch("winograd kernel", (3, 3, U.shape[2], some.stop - some.start, U.shape[4]), U.dtype)
        copy_kernel(kernel[:, :, some], part)
        down = scratch("winograd kernel down", (POINTS, *part.shape[1:]), U.dtype)
        transform(G.astype(U.dtype), part.reshape(3, -1), down.reshape(POINTS, -1))
        for k in range(U.shape[2]):
            transform(G.astype(U.dtype), down[:, :, k].reshape(POINTS, 3, -1),
                      U[:, :, k, some].reshape(POINTS, POINTS, -1))

    run(job, blocks(kernel.shape[2], max(1, KERNEL_BLOCK // kernel.shape[3])))


def transform_row(kernel: np.ndarray, a: int, U: np.ndarray) -> None:
    """Row a of U = G W G'. kernel: (3, 3, ...) as from `copy_kernel`, U: (6, ...)."""
    g = G.astype(U.dtype)
    down = scratch("winograd kernel down", kernel.shape[1:], U.dtype)
    np.matmul(g[a], kernel.reshape(3, -1), out=down.reshape(-1))
    transform(g, down.reshape(3, -1), U.reshape(POINTS, -1))


def transform_part(kernel: np.ndarray) -> np.ndarray:
    """U = G W G' of a part of a kernel, (3, 3, C, O), in this thread's work space: (6, 6, 1, C, O)."""
    channels, outputs = kernel.shape[2:]
    copied = scratch("winograd kernel", (3, 3, 1, channels, outputs), kernel.dtype)
    copy_kernel(kernel, copied)
    down = scratch("winograd kernel down", (POINTS, 3, channels * outputs), kernel.dtype)
    U = scratch("winograd U", (POINTS, POINTS, 1, channels, outputs), kernel.dtype)
    transform(G.astype(kernel.dtype), copied.reshape(3, -1), down.reshape(POINTS, -1))
    transform(G.astype(kernel.dtype), down, U.reshape(POINTS, POINTS, -1))
    return U


def copy_kernel(kernel: np.ndarray, copied: np.ndarray) -> None:
    """kernel: (3, 3, C, O) into slices of the outputs, copied: (3, 3, slices, C, outputs of a slice).

    The kernel of backward is a view with in and out exchanged: its memory has to be transposed. Its rows lie a power of
    two apart, so that a column of it falls into very few places of the cache. Rows copied to a distance that is none
    are transposed four times as fast.
    """
    channels, outputs = kernel.shape[2:]
    rows = scratch("winograd kernel rows", (outputs, channels + 16), copied.dtype)[:, :channels]
    for place in np.ndindex(kernel.shape[:2]):
        turned = kernel[place]
        if abs(kernel.strides[2]) < abs(kernel.strides[3]):
            np.copyto(rows, turned.T)
            turned = rows.T
        np.copyto(copied[place], turned.reshape(channels, -1, copied.shape[4]).swapaxes(0, 1))


def transform_back(dU: np.ndarray, dW: np.ndarray) -> None:
    """dW = G' dU G. dU: (6, 6, slices, slices, channels of a slice, outputs of a slice), dW: (3, 3, C, O)."""
    down = scratch("winograd dU down", (POINTS, 3, *dU.shape[2:]), dU.dtype)
    for row, transformed in zip(dU, down, strict=True):
        transform_back_row(row, transformed)
    gradient = scratch("winograd kernel", (3, *down.shape[1:]), dU.dtype)
    transform(np.ascontiguousarray(G.T, dU.dtype), down.reshape(POINTS, -1), gradient.reshape(3, -1))
    rows, columns, channels, outputs = dU.shape[2:]
    np.copyto(dW.reshape(3, 3, rows, channels, columns, outputs).swapaxes(3, 4), gradient)


def transform_back_row(dU: np.ndarray, down: np.ndarray) -> None:
    """down = dU G, for a row of dU: (6, ...); down: (3, ...)."""
    transform(np.ascontiguousarray(G.T, dU.dtype), dU.reshape(POINTS, -1), down.reshape(3, -1))


def transform_back_down(down: np.ndarray, dW: np.ndarray, add: bool) -> None:
    """dW = G' down, or added to it. down: (6, 3, C, O), dW: (3, 3, C, O)."""
    gradient = scratch("winograd kernel", dW.shape, dW.dtype)
    matrix = np.ascontiguousarray(G.T, dW.dtype)
    for place in range(3):
        np.matmul(matrix, down[:, place].reshape(POINTS, -1), out=gradient[:, place].reshape(3, -1))
    if add:
        dW += gradient
    else:
        np.copyto(dW, gradient)
