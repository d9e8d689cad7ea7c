"""How launches over (rows, channels) are cut up: Rows in common.cuh says which thread has which numbers."""
from __future__ import annotations

import math
from typing import NamedTuple

from engine.arrays import Array
from engine.kernels.cuda.launch import blocks

THREADS, CHANNELS, OF_PARTS = 256, 64, 4  # as in common.cuh
ROWS_OF_THREAD = 16  # at least, so that a thread has something to add before its block does
MOST_BLOCKS = 1024  # enough to fill any GPU of today some times over


class Parts(NamedTuple):
    """rows of all, rows of one part, channels, number of parts. By the shape alone: the order of sums hangs on it."""
    rows: int
    rows_of_part: int
    channels: int
    parts: int

    @property
    def grid(self) -> tuple[int, int]:
        """Blocks of a launch: parts by groups of channels."""
        return self.parts, blocks(self.channels, CHANNELS)

    @property
    def numbers(self) -> tuple[int, int, int]:
        """As kernels take them."""
        return self[:3]


def parts_of(x: Array) -> Parts:
    """x: (..., C). No rows are one part, whose sums are 0."""
    rows, channels = math.prod(x.shape[:-1]), x.shape[-1]
    slots = THREADS // max(1, min(channels, CHANNELS))
    most = max(1, MOST_BLOCKS // max(1, blocks(channels, CHANNELS)))
    rows_of_part = max(1, slots * ROWS_OF_THREAD, blocks(rows, most))
    return Parts(rows, rows_of_part, channels, max(1, blocks(rows, rows_of_part)))
