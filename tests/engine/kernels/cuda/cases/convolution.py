"""Convolutions: every size, stride and padding; kernels that reach over all edges; no images; many blocks."""
import numpy as np

from engine.kernels import correlate, relu

# x, kernel, outputs, stride, padding
SHAPES = [
    ((2, 5, 7, 3), (3, 3), 4, (1, 1), ((1, 1), (1, 1))),
    ((3, 1, 1, 1), (3, 3), 2, (1, 1), ((1, 1), (1, 1))),
    ((2, 9, 4, 7), (3, 2), 5, (2, 3), ((0, 0), (0, 0))),
    ((1, 6, 5, 2), (5, 4), 3, (1, 2), ((4, 1), (0, 3))),
    ((2, 7, 6, 6), (1, 1), 3, (3, 2), ((0, 0), (0, 0))),
    ((2, 3, 3, 8), (2, 2), 1, (1, 1), ((5, 4), (4, 6))),
    ((0, 4, 5, 2), (3, 3), 3, (1, 1), ((1, 1), (1, 1))),
]


def cases(rng):
    for shape, size, outputs, stride, padding in SHAPES:
        x, kernel, bias = (rng.normal(size=each) for each in (shape, (*size, shape[3], outputs), (outputs,)))
        yield correlate, (x, kernel, None, stride, padding)
        yield correlate, (x, kernel, bias, stride, padding, relu)
        yield correlate, (x, kernel, bias, stride, padding, np.square)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("down < 0 || ",
     "",
     r"outside of x: \S+ reads x\[-\d+\]"),
    ("right >= width",
     "right > width",
     r"outside of x: \S+ reads x\[420\]"),
    ("(n * height + down)",
     "(n * out_height + down)",
     WRONG),
    ("bias ? bias[o] : T(0)",
     "bias[o]",
     "outside of all arrays: LINE reads"),
    ("RELU && sum < 0",
     "sum < 0",
     WRONG),
]
