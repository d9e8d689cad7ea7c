"""A step of Adam, of one parameter and of all: definitions, on any array library."""
from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch, update_wrapper
from typing import Any, TypeVar, cast

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels.floating import of_floating

Kernel = TypeVar("Kernel", bound=Callable)


@of_floating(4)
@singledispatch
def adam_update(parameter: Array, gradient: Array, m1: Array, m2: Array, step: int, learning_rate: float,
                beta1: float, beta2: float, epsilon: float) -> None:
    """Lines 4 to 8 of Algorithm 3, with (1 - beta2) in the place of the printed (2 - beta2). Everything of one shape.

    parameter, m1 (mean of the gradients) and m2 (mean of their squares) are overwritten; step counts from 1.
    """
    xp = array_namespace(parameter)
    m1[...] = beta1 * m1 + (1 - beta1) * gradient
    m2[...] = beta2 * m2 + (1 - beta2) * (gradient * gradient)
    corrected1 = m1 / (1 - beta1**step)
    corrected2 = m2 / (1 - beta2**step)
    parameter[...] = parameter - learning_rate * (corrected1 / (xp.sqrt(corrected2) + epsilon))


def _by_first(kernel: Kernel) -> Kernel:
    """A kernel of lists of arrays: which version of it runs, the first array decides. Nothing runs for none."""
    def chosen(arrays: list[Array], *rest: Any) -> None:
        if arrays:
            kernel.dispatch(type(arrays[0]))(arrays, *rest)  # type: ignore[attr-defined]

    return cast(Kernel, update_wrapper(chosen, kernel))  # its registry, too


@_by_first
@singledispatch
def adam_update_all(parameters: list[Array], gradients: list[Array], m1s: list[Array], m2s: list[Array], step: int,
                    learning_rate: float, beta1: float, beta2: float, epsilon: float) -> None:
    """adam_update of every parameter with its gradient and moments, which are all overwritten but the gradients."""
    for arrays in zip(parameters, gradients, m1s, m2s, strict=True):
        adam_update(*arrays, step, learning_rate, beta1, beta2, epsilon)
