"""What every loss does with its two arguments before the mathematics begins."""
from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels import real
from engine.preconditions import expect_floating

Loss = Callable[..., tuple[Array, Array]]  #: loss(prediction, target) -> value, gradient; on ranks reduction=, too

# Probabilities that were computed, means of sigmoids or interpolated masks, leave [0, 1] by a few float32 roundings.
ROUNDING = 1e-6


def pair(prediction: Array, target: Array) -> tuple[Any, Array]:
    """The array library of the prediction, and the target in its dtype.

    Raises ValueError where the shapes differ (broadcasting would hide a mistake), the batch is empty or the prediction
    holds no floats.
    """
    if tuple(prediction.shape) != tuple(target.shape):
        remedy = "reshape one of them" if prediction.size == target.size else "compare outputs and targets of one batch"
        raise ValueError(f"the prediction is {tuple(prediction.shape)} and the target {tuple(target.shape)}: "
                         f"a loss compares arrays of one shape: {remedy}")
    if 0 in prediction.shape:
        raise ValueError(f"a prediction of shape {tuple(prediction.shape)} has no elements: a loss needs at least one")
    expect_floating("the prediction", prediction)
    xp = array_namespace(prediction)
    return xp, xp.astype(target, prediction.dtype)


def pair_of_probabilities(prediction: Array, target: Array) -> tuple[Any, Array]:
    """As pair, for a loss on probabilities. Raises ValueError, too, where prediction or target leave [0, 1]."""
    xp, y = pair(prediction, target)
    _expect_probabilities(xp, prediction=prediction, target=y)
    return xp, y


def pair_of_logits(logits: Array, target: Array) -> tuple[Any, Array]:
    """As pair, for a loss on logits. Raises ValueError, too, where the target leaves [0, 1]."""
    xp, y = pair(logits, target)
    _expect_probabilities(xp, target=y)
    return xp, y


def _expect_probabilities(xp: Any, **arrays: Array) -> None:
    """The loss would have a minimum elsewhere, or none. NaN and infinities pass: training tells of them by name."""
    ends = {name: (xp.min(real(array)), xp.max(real(array))) for name, array in arrays.items()}
    within = [(low >= -ROUNDING) & (high <= 1 + ROUNDING) for low, high in ends.values()]
    if bool(xp.all(xp.stack(within))):  # one answer from the device for all
        return
    for name, (low, high) in ((name, (float(low), float(high))) for name, (low, high) in ends.items()):
        if isfinite(low) and isfinite(high) and not (low >= -ROUNDING and high <= 1 + ROUNDING):
            raise ValueError(f"the {name} lies between {low:.6g} and {high:.6g}; expected 0 to 1: " + (
                "take a mask's pixels / 255 or > 127" if name == "target" else
                "apply a sigmoid, or use the loss's form with logits"))
