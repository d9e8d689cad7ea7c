"""Convolutions by tiles of 16: tails of pixels, channels and places; every stride and padding; no images."""
from unittest.mock import patch

import numpy as np

from engine.kernels import correlate, relu
from engine.kernels.cuda import convolution, convolution_rungs

# x, kernel, outputs, stride, padding
SHAPES = [
    ((2, 5, 7, 3), (3, 3), 18, (1, 1), ((1, 1), (1, 1))),
    ((1, 4, 4, 2), (3, 3), 16, (1, 1), ((1, 1), (1, 1))),
    ((2, 9, 4, 7), (3, 2), 5, (2, 3), ((0, 0), (0, 0))),
    ((1, 6, 5, 2), (5, 4), 3, (1, 2), ((4, 1), (0, 3))),
    ((0, 4, 5, 2), (3, 3), 3, (1, 1), ((1, 1), (1, 1))),
]


def tiles(*arguments):
    with patch.object(convolution, "rung_for", lambda *shapes: convolution_rungs.tiles):
        return correlate(*arguments)


tiles.dispatch = correlate.dispatch


def cases(rng):
    for shape, size, outputs, stride, padding in SHAPES:
        x, kernel, bias = (rng.normal(size=each) for each in (shape, (*size, shape[3], outputs), (outputs,)))
        yield tiles, (x, kernel, None, stride, padding)
        yield tiles, (x, kernel, bias, stride, padding, relu)
        yield tiles, (x, kernel, bias, stride, padding, np.square)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("        __syncthreads();  // the tiles are filled\n",
     "",
     r"race on shared tile_[aw]\[\d+\]: .*"),
    ("        __syncthreads();  // and read\n",
     "",
     r"race on shared tile_[aw]\[\d+\]: .* writes, .* reads"),
    ("meets(corner, u, v, height, width)",
     "true",
     r"outside of x: \S+ reads x\[-\d+\]"),
    ("first + row < depth && o",
     "o",
     r"outside of kernel: \S+ reads kernel\[\d+\]"),
    ("pixel < pixels && o",
     "o",
     r"outside of y: LINE writes y\[\d+\]"),
    ("pixel < pixels && o < outputs",
     "pixel < pixels",
     r"race on y\[\d+\]: LINE writes, LINE writes"),
    ("[corner.first + ",
     "[",
     WRONG),
    ("RELU && sum < 0",
     "sum < 0",
     WRONG),
]
