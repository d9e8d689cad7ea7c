"""Upsampling: no pixel, one, several blocks; one channel and many."""
from engine.kernels import upsample, upsample_gradient


def cases(rng):
    for shape, factor in (((1, 1, 1, 1), 2), ((2, 3, 5, 7), 2), ((2, 5, 3, 1), 3), ((1, 2, 4, 6), 1),
                          ((0, 2, 2, 3), 2)):
        yield upsample, (rng.normal(size=shape), factor)
        n, height, width, channels = shape
        yield upsample_gradient, (rng.normal(size=(n, factor * height, factor * width, channels)), factor)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("(row / factor) * width",
     "(row / factor) * count",
     "outside of all arrays|outside of x: LINE"),
    ("pixel % (width * factor)",
     "pixel % width",
     WRONG),
]
