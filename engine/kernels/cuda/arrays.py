"""Which arrays the CUDA kernels are for."""
from __future__ import annotations

from abc import ABC
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from engine.arrays import Array

C_TYPES = {"float32": "float", "float64": "double"}


class CudaArray(ABC):  # noqa: B024, for it only decides what belongs to it
    """CuPy's arrays, and those that stand in for them on a CPU: what the launchers are registered for.

    CuPy's type is known by its name, so that nothing of CuPy is imported before a program has such an array: then
    singledispatch, which asks once for every new type, finds the launchers.
    """

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return _is_cupys(other) or EmulatedArray in other.__mro__ if cls is CudaArray else NotImplemented


def _is_cupys(array_type: type) -> bool:
    return array_type.__name__ == "ndarray" and array_type.__module__.split(".")[0] == "cupy"


class EmulatedArray(np.ndarray):
    """A NumPy array that stands in for an array on a GPU: the kernels that are given it run on the CPU (on_cpu/).

    What NumPy computes of it is one, too; arrays that NumPy makes of nothing (np.zeros) are not.
    """

    def __array_function__(self, function: Any, types: Any, arguments: Any, named: Any) -> Any:
        return emulated(super().__array_function__(function, types, arguments, named))


def emulated(value: Any) -> Any:
    """The same memory as EmulatedArray: of an array, or of each in a tuple or list. Anything else as it is.

    `network.convert(emulated)` does it for a network.
    """
    if isinstance(value, tuple | list):
        return type(value)(emulated(each) for each in value)
    return value.view(EmulatedArray) if isinstance(value, np.ndarray) else value


def empty(shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """A new array of the library and on the device of another, in its dtype if none is given, for a kernel to fill.

    On the CPU it is full of NaN, so that what the kernel leaves out shows.
    """
    if not isinstance(like, EmulatedArray):
        return array_namespace(like).empty(shape, dtype=dtype or like.dtype, device=device(like))
    array = np.empty(shape, dtype or like.dtype)
    array.reshape(-1).view(np.uint8)[...] = 0xFF
    return array.view(EmulatedArray)


def moved(array: np.ndarray, like: Array) -> Array:
    """A NumPy array where another one is."""
    if isinstance(like, EmulatedArray):
        return array.view(EmulatedArray)
    return array_namespace(like).asarray(array, device=device(like))


def contiguous(array: Array) -> Array:
    """The array, or a copy whose numbers lie one behind the other (in C's order, aligned, in the machine's bytes)."""
    if isinstance(array, EmulatedArray):
        return np.require(array, array.dtype.newbyteorder("="), ["C", "A"])
    return array_namespace(array).ascontiguousarray(array)


def c_type(array: Array) -> str:
    """"float" or "double": the type that a kernel for this array is instantiated with."""
    return C_TYPES[array.dtype.name]
