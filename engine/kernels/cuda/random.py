"""Random numbers on a GPU."""
from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.kernels.cuda.arrays import empty
from engine.kernels.cuda.launch import blocks, launch
from engine.kernels.cuda.registration import on_cuda
from engine.kernels.random import uniform

THREADS, OF_THREAD = 256, 8


@on_cuda(uniform)
def _(like: Array, seed: tuple[int, ...]) -> Array:
    key = np.random.SeedSequence(seed).generate_state(2, np.uint64)  # as NumPy's Philox takes it
    y = empty(like.shape, like, "float32")
    launch("random.uniform", blocks(y.size, THREADS * OF_THREAD), THREADS, (y, int(key[0]), int(key[1]), y.size))
    return y
