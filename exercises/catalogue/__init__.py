"""The exercises, in the order in which they are meant to be done: a module each, whose EXERCISE it is."""
from __future__ import annotations

from functools import cache
from importlib import import_module

from exercises.exercise import Exercise

ORDER = ("dense_forward", "dense_backward", "relu", "sigmoid", "softmax_cross_entropy", "dropout",
         "batch_norm_forward", "batch_norm_backward", "convolution_forward", "convolution_dx", "convolution_dw",
         "convolution_db", "stride_and_padding", "max_pool", "average_pool", "upsample", "concatenation", "skip",
         "dice", "sensitivity_specificity", "adam", "xavier", "gradient_checker", "recompute", "training")


@cache
def exercise(name: str) -> Exercise:
    """The exercise of that name. Raises KeyError for a name that is not in ORDER."""
    if name not in ORDER:
        raise KeyError(name)
    found: Exercise = import_module(f"{__name__}.{name}").EXERCISE
    return found


def all_exercises() -> list[Exercise]:
    return [exercise(name) for name in ORDER]
