"""Arrays cut into jobs of several whole images where they are small, of some rows of one image otherwise."""
from __future__ import annotations

import math

from engine.kernels.cpu.threads import blocks

# Numbers of a job. Calls on fewer are so short that two threads would mostly wait for each other.
JOB = 1 << 17

Rows = tuple[slice, ...]


def rows_of(shape: tuple[int, ...]) -> list[Rows]:
    """(images, rows) of an array of this shape, (N, H, ...), jobs as alike as possible; all of one that has no rows,
    (N, C)."""
    if len(shape) < 3:
        return [(slice(None), slice(None))[:len(shape)]]
    row = max(1, math.prod(shape[2:]))
    rows = _alike(shape[1], JOB // row)
    images = _alike(shape[0], JOB // (row * max(1, shape[1])))
    return [(n, part) for n in images for part in rows]


def _alike(total: int, most: int) -> list[slice]:
    """0..total in slices of at most so many, but at least one."""
    return blocks(total, max(1, -(-total // max(1, -(-total // max(1, most))))))
