"""Random numbers in NumPy arrays: every job's from the counter where they begin."""
from __future__ import annotations

import numpy as np

from engine.kernels.cpu.threads import blocks, run
from engine.kernels.random import uniform

OF_COUNTER = 8  # numbers: four words of 64 bits
JOB = 1 << 19  # a multiple of it


@uniform.register(np.ndarray)
def _(like: np.ndarray, seed: tuple[int, ...]) -> np.ndarray:
    drawn = np.empty(like.shape, np.float32)
    flat = drawn.reshape(-1)

    def job(part: slice) -> None:
        philox = np.random.Philox(np.random.SeedSequence(seed)).advance(part.start // OF_COUNTER)
        np.random.Generator(philox).random(out=flat[part], dtype=np.float32)

    run(job, blocks(flat.size, JOB))
    return drawn
