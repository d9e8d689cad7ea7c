"""Random numbers that are a function of their seed and place: definition, on any array library."""
from __future__ import annotations

from functools import singledispatch

import numpy as np
from array_api_compat import array_namespace, device

from engine.arrays import Array


@singledispatch
def uniform(like: Array, seed: tuple[int, ...]) -> Array:
    """Float32 numbers in [0, 1) in the shape and place of `like`, which are multiples of 2^-24.

    Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) makes four 64-bit words of a
    key and a counter, without those before: each number can be computed where it is needed. The hash of the seed is the
    key, eight numbers come from the words of a counter, which starts at 1.
    """
    xp = array_namespace(like)
    drawn = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed))).random(like.shape, dtype=np.float32)
    return xp.asarray(drawn, dtype=xp.float32, device=device(like))
