"""What every loss does with its two arguments before the mathematics begins."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace

from engine.layer import Array

Loss = Callable[[Array, Array], tuple[Array, Array]]


def pair(prediction: Array, target: Array) -> tuple[Any, Array]:
    """The array library of the prediction, and the target in its dtype.

    Raises ValueError where the shapes differ (broadcasting would hide a mistake) or the batch is empty.
    """
    if tuple(prediction.shape) != tuple(target.shape):
        raise ValueError(f"the prediction is {tuple(prediction.shape)} and the target {tuple(target.shape)}: "
                         "a loss compares arrays of one shape")
    if 0 in prediction.shape:
        raise ValueError(f"a prediction of shape {tuple(prediction.shape)} has no elements: a loss needs at least one")
    xp = array_namespace(prediction)
    return xp, xp.astype(target, prediction.dtype)
