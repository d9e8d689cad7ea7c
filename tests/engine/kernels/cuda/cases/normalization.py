"""Sums over channels: one channel, a few, a group of 64 less one and more; no rows, one, several parts."""
import numpy as np

from engine.kernels import batch_moments, channel_sums, combine, gradient_sums, scale_and_shift

SHAPES = [(1, 1), (4, 9), (3, 5, 7, 6), (2, 3, 5, 1), (71, 3), (4500, 1), (200, 63), (2, 140, 65), (5, 130), (1, 1, 1, 5)]
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
PLANTED = []
