"""How a pass through a layer is made."""
from __future__ import annotations

from dataclasses import dataclass, replace

from engine.arrays import Array
from engine.kernels import uniform
from engine.reduction import WHOLE, Reduction


@dataclass(frozen=True)
class Run:
    """How a pass is made.

    train      batch statistics and dropout on?
    record     keep what backward needs? train=False, record=True gives gradients through the inference network
    seed       a path: the step's seed, then the place of the layer in the network
    reduction  whom a sum over the batch is asked of, where its samples lie on several ranks; here lies all of it
    """
    train: bool = True
    record: bool = True
    seed: tuple[int, ...] = (0,)
    reduction: Reduction = WHOLE

    def child(self, place: int) -> Run:
        """The run as the layer at `place` inside a combinator sees it: the same, with randomness of its own."""
        return replace(self, seed=(*self.seed, place))

    def uniform(self, like: Array) -> Array:
        """Float32 numbers in [0, 1) in the shape and place of `like`: the seed alone tells which, on every backend, and
        the sample's row in the whole batch."""
        return self.reduction.rows(like, lambda whole: uniform(whole, self.seed))
