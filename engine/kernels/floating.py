"""Which numbers a kernel computes with: more than a layer does (engine.preconditions), longdouble for one."""
from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from array_api_compat import array_namespace

from engine.arrays import Array

Kernel = TypeVar("Kernel", bound=Callable)


def of_floating(arrays: int) -> Callable[[Kernel], Kernel]:
    """A kernel that raises ValueError unless its first so many arguments are floating or complex arrays, or None.

    At least 32 bits a number: sums and products of uint8 wrap round, those of float16 overflow and keep three digits.
    Kernels that only choose and move numbers (relu, max_pool, upsample, concatenate) take all.
    """
    def decorate(kernel: Kernel) -> Kernel:
        def checked(*arguments: Any, **named: Any) -> Any:
            for array in arguments[:arrays]:
                if array is not None and not _is_floating(array):
                    raise ValueError(f"{checked.__name__} was given numbers of type {array.dtype}; expected floating "
                                     "or complex ones of at least 32 bits: convert them, to float32 as a rule")
            return kernel(*arguments, **named)

        return cast(Kernel, update_wrapper(checked, kernel))  # its registry, too

    return decorate


def _is_floating(array: Array) -> bool:
    kind = getattr(array.dtype, "kind", None)  # of NumPy and CuPy, thirty times as fast as their isdtype
    if kind is not None:
        return kind in "fc" and array.dtype.itemsize >= {"f": 4, "c": 8}[kind]
    return array_namespace(array).isdtype(array.dtype, ("real floating", "complex floating"))
