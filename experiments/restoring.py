"""A trained network from a checkpoint, as an experiment asks it: without trust in what the file says of itself."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.checkpoint import Checkpoint, CheckpointError, restore
from engine.layer import Layer


def restored(checkpoint: Checkpoint, build: Callable[[Any], Layer]) -> Layer:
    """build(rng), with the parameters and moving averages of the checkpoint.

    Raises CheckpointError where the checkpoint is of another network or holds numbers that are not finite; before
    memory is taken for a network larger than the one in the file, whatever sides and channels it names.
    """
    network = build(Placeholders(checkpoint))
    restore(checkpoint, network)
    return network


class Placeholders:
    """In the place of a network's generator: zeros, which the checkpoint's numbers replace, and never more than those
    are."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.left = sum(array.size for array in checkpoint.part("parameters").values())

    def uniform(self, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
        return self.normal(low, high, shape)

    def normal(self, mean: float, deviation: float, shape: tuple[int, ...]) -> np.ndarray:
        self.left -= math.prod(shape)
        if self.left < 0:
            raise CheckpointError(f"its configuration describes a larger network than it holds: weights {shape}")
        return np.zeros(shape, np.float32)
