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
    ("k / channels / factor * channels",
     "k / channels * channels",
     r"outside of x: \S+ reads"),
    ("x[row / factor *",
     "x[row *",
     r"outside of x: LINE reads|outside of all arrays"),
    ("    if (k >= width * factor * channels) return;\n",
     "\n",
     r"outside of y: |race on y\[\d+\]|outside of x: "),
    ("(long long)factor + u)",
     "(long long)factor)",
     WRONG),
    ("v < factor",
     "v <= factor",
     WRONG + "|" + r"outside of dy: "),
    ("copies[v * channels]",
     "copies[v]",
     WRONG),
]
