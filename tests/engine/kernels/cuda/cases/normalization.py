"""Sums over channels: one channel, a few, a group of 64 less one and more; no rows, one, several parts."""
import numpy as np

from engine.kernels import batch_moments, channel_sums, combine, gradient_sums, scale_and_shift

SHAPES = [(1, 1), (4, 9), (3, 5, 7, 6), (2, 3, 5, 1), (71, 3), (4500, 1), (200, 63), (2, 140, 65), (5, 130),
          (1, 1, 1, 5)]
EMPTY = [(0, 3), (3, 0)]


def cases(rng):
    for shape in SHAPES + EMPTY:
        x, dy = rng.normal(size=(2, *shape))
        vectors = rng.normal(size=(4, shape[-1]))
        yield channel_sums, (x,)
        if shape not in EMPTY:
            yield batch_moments, (x,)
        yield gradient_sums, (dy, x, vectors[0])
        yield scale_and_shift, (x, *vectors[:3])
        yield combine, (dy, x, *vectors)
    yield channel_sums, (np.array([[1.0, np.inf], [2.0, 1.0]]),)


WRONG = "Not equal to tolerance"
PLANTED = [
    # in common.cuh
    ("of_slots[k][threadIdx.x] = sums[k];\n    __syncthreads();\n",
     "of_slots[k][threadIdx.x] = sums[k];\n",
     r"race on shared of_slots\[\d+\]"),
    ("        __syncthreads();\n        left = half;",
     "        left = half;",
     r"race on shared of_slots\[\d+\]"),
    ("own.slot < left - half)\n            for",
     "own.slot <= left - half)\n            for",
     WRONG + "|" + r"outside of an array's dimension"),
    ("own.first = own.slot < own.slots ? blockIdx.x * rows_of_part + own.slot : own.end;",
     "own.first = blockIdx.x * rows_of_part + own.slot;",
     r"race on y\[\d+\]: .* writes, .* writes"),
    ("own.end = (blockIdx.x + 1) * rows_of_part < rows ? (blockIdx.x + 1) * rows_of_part : rows;",
     "own.end = (blockIdx.x + 1) * rows_of_part;",
     r"outside of x: .* reads x\[\d+\]"),
    ("channels - group < GROUP ? channels - group : GROUP",
     "GROUP",
     r"outside of x: .* reads x\[\d+\]"),
    # in normalization.cu
    ("    if (own.slot == 0) sums[",
     "    sums[",
     r"race on sums\[\d+\]: LINE writes, LINE writes"),
    ("rows_of_thread<PART_CHANNELS>(parts, parts, channels)",
     "rows_of_thread<PART_CHANNELS>(parts + 1, parts + 1, channels)",
     r"outside of means: \S+ reads means\[\d+\]"),
    ("        __syncthreads();  // written\n",
     "\n",
     r"race on shared (counts|means|squares)\[\d+\]"),
    ("        __syncthreads();  // read\n",
     "\n",
     r"race on shared (counts|means|squares)\[\d+\]"),
    ("distance * distance * (a.count * b.count / count)",
     "distance * (a.count * b.count / count)",
     WRONG),
    ("a.mean + distance * (b.count / count)",
     "a.mean + distance * (a.count / count)",
     WRONG),
    ("left < rows_of_part ? left : rows_of_part",
     "rows_of_part",
     WRONG),
    ("c + shift, rest",
     "shift, rest",
     WRONG),
    ("rest = square - sum * shift",
     "rest = square",
     WRONG),
    ("of_products += d * (x[row * channels + own.channel] - c)",
     "of_products += d * x[row * channels + own.channel]",
     WRONG),
    ("sums[(2ll * blockIdx.x + 1) * channels",
     "sums[(2ll * blockIdx.x + 2) * channels",
     r"outside of sums: LINE writes|race on sums\[\d+\]"),
    ("- c) * factor + more",
     "- c) * factor",
     WRONG),
    ("(x[i] - c) * of_x",
     "x[i] * of_x",
     WRONG),
]
