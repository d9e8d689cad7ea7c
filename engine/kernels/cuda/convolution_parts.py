"""Split-K: a sum too long for so few results is cut into parts, which are computed at once and added up in their order.

The parts depend on shapes (and the kernel that they choose) alone, not on the GPU: same numbers, same bits.
"""
from __future__ import annotations

from engine.arrays import Array
from engine.kernels.cuda.arrays import c_type
from engine.kernels.cuda.launch import blocks, launch

MULTIPROCESSORS = 132  # of an H100; an A100 has 108
# A part of d steps of the sum reads (HIGH + WIDE) d numbers; its HIGH x WIDE sums are written once and read once more,
# 2 HIGH WIDE / (HIGH + WIDE) / d times as many: with d >= 256 at most half (blocks of 128 x 128) or a third (128 x 64),
# and mostly between the multiprocessors and the L2 cache. What passes until a part's first numbers have come is little
# beside 8 steps of 32, or 32 of 8.
SHORTEST = 256


def length_of_part(length: int, tiles: int, most_blocks: int) -> int:
    """How long each part of a sum of `length` is, the last one maybe less, where the results are `tiles` blocks.

    As many parts as keep all blocks, `tiles` of each part, within `most_blocks`, those that a GPU runs at the same
    time: one more would make all of them wait for a few. And no more than are SHORTEST long: a sum of less than twice
    that is not worth a second kernel. A multiple of 32, the steps of all kernels, so that only the last has a tail.
    """
    parts = max(1, min(most_blocks // max(1, tiles), length // SHORTEST))
    return 32 * max(1, blocks(length, 32 * parts))


def add_parts(parts: Array, bias: Array | None, sums: Array, relu: bool) -> None:
    """sums = sigma(the sum of the parts + bias). parts: (count, *sums.shape), bias: (sums.shape[-1],)."""
    launch(f"convolution.sum_of_parts<{c_type(sums)}, {str(relu).lower()}>", blocks(sums.size, 128), 128,
           (parts, bias, sums, sums.size, sums.shape[-1], parts.shape[0]))
