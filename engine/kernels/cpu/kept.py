"""Kernels that keep their Winograd transforms, for networks that are run again and again with the same weights."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array
from engine.kernels.cpu import winograd


class KeptKernel(np.ndarray):
    """A convolution's kernel (3, 3, C, O), a view of the weights, that keeps U = G W G', four times its memory.

    U is computed when `transformed` is first asked for it, and goes with this array; what is made of the array, a slice
    or a rotated view, is another kernel and knows nothing of it. Whoever makes one sees to it that the weights stay as
    they are: see engine.prepared.
    """
    _keeps: bool
    _transformed: np.ndarray | None

    def __array_finalize__(self, made_of: Any) -> None:
        self._keeps, self._transformed = False, None

    def transformed(self) -> np.ndarray | None:
        """U as `winograd.correlate` takes it: (6, 6, slices, C, outputs of a slice)."""
        if self._keeps and self._transformed is None:  # two threads that come first both compute it, to the same bits
            self._transformed = winograd.transformed_kernel(np.asarray(self))
        return self._transformed

    @property
    def kept_bytes(self) -> int:
        """Of U; 0 before it is needed."""
        return 0 if self._transformed is None else self._transformed.nbytes


def keeping(array: Array) -> Array:
    """The array as a KeptKernel, in the same memory, where Winograd's method might take it; else as it is."""
    if not (type(array) is np.ndarray and array.ndim == 4 and array.shape[:2] == (3, 3) and winograd.takes(array)):
        return array
    kept = array.view(KeptKernel)
    kept._keeps = True
    return kept
