"""Arrays cut into jobs of some rows of one image."""
from __future__ import annotations

import math

from engine.kernels.cpu.threads import blocks

# Numbers of a job.
JOB = 1 << 18

Rows = tuple[int | slice, ...]


def rows_of(shape: tuple[int, ...]) -> list[Rows]:
    """(image, rows) of an array of this shape, (N, H, ...); all of one that has no rows, (N, C)."""
    if len(shape) < 3:
        return [(slice(None), slice(None))[:len(shape)]]
    rows = blocks(shape[1], max(1, JOB // max(1, math.prod(shape[2:]))))
    return [(n, part) for n in range(shape[0]) for part in rows]
