"""Launchers registered for arrays on a GPU, in one place for CuPy's and those that stand in for them."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeVar

from engine.arrays import Array
from engine.kernels.cuda.arrays import C_TYPES, CudaArray, EmulatedArray, emulated

Launcher = TypeVar("Launcher", bound=Callable)


def on_cuda(kernel: Any) -> Callable[[Launcher], Launcher]:
    """Registers a launcher for a kernel of engine.kernels.

    The launcher is called with arrays of float32, or of float64 alone (uint8 beside them: places); all others, complex
    numbers for one, go to the kernel's definition, which runs on CuPy.
    """
    def decorate(launcher: Launcher) -> Launcher:
        definition = _definition(kernel)

        @wraps(launcher)
        def chosen(*arguments: Any, **named: Any) -> Any:
            types = {each.dtype.name for each in _arrays((*arguments, *named.values()))}
            if len(types - {"uint8"}) == 1 and types <= {*C_TYPES, "uint8"}:
                return launcher(*arguments, **named)
            return definition(*arguments, **named)

        kernel.register(CudaArray)(chosen)
        return launcher

    return decorate


def leave_to_definitions(kernels: Iterable[Any]) -> None:
    """Registers the definitions of those kernels that have no launcher; what is no kernel is passed over.

    Else one that stands in for a GPU's array, which is a NumPy array, would be given NumPy's versions.
    """
    for kernel in kernels:
        if hasattr(kernel, "registry") and CudaArray not in kernel.registry:
            kernel.register(CudaArray)(_definition(kernel))


def _arrays(arguments: Iterable[Any]) -> Iterator[Array]:
    """Those among the arguments, and in lists among them."""
    for argument in arguments:
        if isinstance(argument, CudaArray):
            yield argument
        elif isinstance(argument, list):
            yield from _arrays(argument)


def _definition(kernel: Any) -> Callable:
    definition = kernel.dispatch(object)

    @wraps(definition)
    def as_given(*arguments: Any, **named: Any) -> Any:
        results = definition(*arguments, **named)
        return emulated(results) if results is not None and isinstance(arguments[0], EmulatedArray) else results

    return as_given
