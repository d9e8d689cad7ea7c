"""A step of Adam, of one parameter and of all: definitions, on any array library."""
from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch, update_wrapper
from math import sqrt
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

    parameter, m1 (mean of the gradients) and m2 (mean of their squares) are overwritten; step counts from 1. With the
    corrections c1 = 1 - beta1^step and c2 = 1 - beta2^step a parameter changes by

        lambda (m1 / c1) / (sqrt(m2 / c2) + epsilon) = (lambda sqrt(c2) / c1) (m1 / (sqrt(m2) + sqrt(c2) epsilon))

    of which the right side, as in Kingma and Ba's section 2, divides every number once and not three times.
    """
    xp = array_namespace(parameter)
    root = sqrt(1 - beta2**step)
    m1[...] = beta1 * m1 + (1 - beta1) * gradient
    m2[...] = beta2 * m2 + (1 - beta2) * (gradient * gradient)
    rate = learning_rate * root / (1 - beta1**step)
    parameter[...] = parameter - rate * (m1 / (xp.sqrt(m2) + root * epsilon))


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
