"""Convolutions of one and two channels: images smaller than a tile and larger, paddings, more channels than lanes."""
import numpy as np

from engine.kernels import correlate, relu

# x, outputs, padding
SHAPES = [
    ((2, 9, 37, 1), 37, ((1, 1), (1, 1))),
    ((2, 10, 35, 2), 5, ((1, 1), (2, 0))),
    ((1, 5, 6, 2), 33, ((0, 0), (0, 0))),
    ((3, 1, 1, 1), 8, ((1, 1), (1, 1))),
    ((0, 4, 5, 1), 8, ((1, 1), (1, 1))),
]


def cases(rng):
    for shape, outputs, padding in SHAPES:
        x, kernel, bias = (rng.normal(size=each) for each in (shape, (3, 3, shape[3], outputs), (outputs,)))
        yield correlate, (x, kernel, None, (1, 1), padding)
        yield correlate, (x, kernel, bias, (1, 1), padding, relu)
        yield correlate, (x, kernel, bias, (1, 1), padding, np.square)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("    __syncthreads();  // the image is there\n",
     "",
     r"race on shared image\[\d+\]: .*"),
    ("down >= 0 && ",
     "",
     r"outside of x: \S+ reads x\[-\d+\]"),
    ("number < (HIGH + 2) * ROW",
     "number < (HIGH + 1) * ROW",
     r"unwritten: \S+ reads shared image\[\d+\]"),
    ("/ across % along",
     "% along",
     r"race on y\[0\]: \S+ writes, \S+ writes"),
    ("if (first_row + row >= out_height) return;",
     "",
     r"race on y\[\d+\]: \S+ writes, \S+ writes|outside of y"),
    ("first_column + done < out_width",
     "first_column + done <= out_width",
     r"race on y\[\d+\]: \S+ writes, \S+ writes"),
    ("sums[2 - v]",
     "sums[v]",
     WRONG),
    ("sums[0] = sums[1], sums[1] = sums[2], ",
     "sums[1] = sums[2], sums[0] = sums[1], ",
     WRONG),
    ("RELU && sums[0] < 0",
     "sums[0] < 0",
     WRONG),
]
