"""Arrays: new ones beside others; by path, copied all or none, and none under two paths."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_cupy_array

Array = Any  #: an array of any library that array-api-compat knows


def empty(shape: tuple[int, ...], like: Array) -> Array:
    """A new array in the dtype, library and place of another, and of its type: a subclass of NumPy's may stand in for a
    GPU's arrays (engine.kernels.cuda)."""
    made = array_namespace(like).empty(shape, dtype=like.dtype, device=device(like))
    return made if type(made) is type(like) or not isinstance(like, np.ndarray) else made.view(type(like))


def to_numpy(array: Array) -> np.ndarray:
    """The array in main memory, copied only if it is not there yet."""
    return array.get() if is_cupy_array(array) else np.asarray(array)


def copy_arrays(own: Mapping[str, Array], given: Mapping[str, Array], owner: str) -> None:
    """Copy the arrays given into an owner's own of the same names, in the owner's dtype.

    Raises ValueError, before anything is written, naming the first that is absent on one side or of another shape.
    """
    for name in (*own, *(name for name in given if name not in own)):
        there = tuple(given[name].shape) if name in given else "absent"
        here = tuple(own[name].shape) if name in own else "absent"
        if there != here:
            raise ValueError(f"'{name}' is {there} in what was given and {here} in {owner}")
    for name, array in own.items():
        array[...] = array_namespace(array).asarray(given[name], dtype=array.dtype)


def expect_each_once(arrays: Iterable[tuple[str, Array]]) -> None:
    """Raises ValueError where one array stands under two paths."""
    seen: dict[int, str] = {}
    for path, array in arrays:
        if (other := seen.setdefault(id(array), path)) != path:
            raise ValueError(f"'{other}' and '{path}' are one array, of a layer that stands in two places; expected "
                             "every array in one place: build a second layer")
