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


class Placeholders(np.random.Generator):
    """In the place of a network's generator: zeros, which the checkpoint's numbers replace, and never more than those
    are."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(np.random.PCG64(0))
        self.left = sum(array.size for array in checkpoint.part("parameters").values())

    def uniform(self, low: float, high: float, size: tuple[int, ...]) -> np.ndarray:  # type: ignore[override]
        return self.normal(low, high, size)

    def normal(self, loc: float, scale: float, size: tuple[int, ...]) -> np.ndarray:  # type: ignore[override]
        self.left -= math.prod(size)
        if self.left < 0:
            raise CheckpointError(f"its configuration describes a larger network than it holds: weights {size}")
        return np.zeros(size, np.float32)
