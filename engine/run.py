"""How a pass through a layer is made."""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from array_api_compat import array_namespace, device

from engine.arrays import Array


@dataclass(frozen=True)
class Run:
    """How a pass is made.

    train   batch statistics and dropout on?
    record  keep what backward needs?  train=False, record=True gives gradients through the inference network
    seed    a path: the step's seed, then the place of the layer in the network
    """
    train: bool = True
    record: bool = True
    seed: tuple[int, ...] = (0,)

    def child(self, place: int) -> Run:
        """The run as the layer at `place` inside a combinator sees it: the same, with randomness of its own."""
        return replace(self, seed=(*self.seed, place))

    def uniform(self, like: Array) -> Array:
        """Float32 numbers in [0, 1) in the shape and place of `like`: the seed alone tells which, on every backend.

        Philox4x64 (Salmon et al. 2011) is a function of key and counter: each number can be computed where it is
        needed, without those before it. The seed's hash is the key.
        """
        xp = array_namespace(like)
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(self.seed)))
        drawn = generator.random(like.shape, dtype=np.float32)
        return xp.asarray(drawn, dtype=xp.float32, device=device(like))
