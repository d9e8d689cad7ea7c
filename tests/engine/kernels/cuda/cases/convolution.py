"""Plain convolutions: every size, stride and padding; kernels that reach over all edges; no images; many blocks."""
from unittest.mock import patch

import numpy as np

from engine.kernels import correlate, correlate_kernel_gradient, relu
from engine.kernels.convolution import output_size
from engine.kernels.cuda import convolution, convolution_gradient, convolution_rungs

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
SPLIT = (3, 14, 13, 1), (2, 3), 2, (1, 1), ((1, 0), (1, 1))  # 546 pixels: two parts
DEEP = (1, 3, 4, 90), (3, 3), 12, (1, 1), ((1, 1), (1, 1))  # 810 places: three parts, by another file's kernel


def plain(*arguments):
    with patch.object(convolution, "rung_for", lambda *shapes: convolution_rungs.plain):
        return correlate(*arguments)


def plain_gradient(*arguments):
    with patch.object(convolution, "gradient_rung_for", lambda *shapes: convolution_gradient.plain):
        return correlate_kernel_gradient(*arguments)


plain.dispatch, plain_gradient.dispatch = correlate.dispatch, correlate_kernel_gradient.dispatch


def cases(rng):
    for shape, size, outputs, stride, padding in SHAPES:
        x, kernel, bias = (rng.normal(size=each) for each in (shape, (*size, shape[3], outputs), (outputs,)))
        yield plain, (x, kernel, None, stride, padding)
        yield plain, (x, kernel, bias, stride, padding, relu)
        yield plain, (x, kernel, bias, stride, padding, np.square)
    for shape, size, outputs, stride, padding in (*SHAPES, SPLIT):
        rows, columns = (output_size(*each) for each in zip(shape[1:3], size, stride, padding, strict=True))
        x, da = rng.normal(size=shape), rng.normal(size=(shape[0], rows, columns, outputs))
        yield plain_gradient, (x, da, size, stride, padding)
    shape, size, outputs, stride, padding = DEEP
    x, kernel, bias = (rng.normal(size=each) for each in (shape, (*size, shape[3], outputs), (outputs,)))
    yield correlate, (x, kernel, None, stride, padding)
    yield correlate, (x, kernel, bias, stride, padding, relu)
    yield correlate, (x, kernel, bias, stride, padding, np.square)
    yield correlate, (rng.normal(size=(1, 5, 4, 9)), rng.normal(size=(3, 3, 9, 1)), None, (1, 1), ((1, 1), (1, 1)))


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
    ("y[place] = RELU && sum < 0",
     "y[place] = sum < 0",
     WRONG),
    ("if (weight >= weights) return;\n    int o",
     "int o",
     r"outside of \w+: \S+ writes parts\[\d+\]"),
    ("blockIdx.z * pixels_of_part",
     "blockIdx.z * (pixels_of_part - 1)",
     WRONG),
    ("parts[blockIdx.z * weights + weight] = sum",
     "parts[weight] = sum",
     r"race on parts\[\d+\]: LINE writes, LINE writes"),
    ("if (number >= numbers) return;",
     "",
     r"outside of \w+: \S+ writes sums\[\d+\]"),
    ("int part = 1",
     "int part = 2",
     WRONG),
    ("part < count",
     "part <= count",
     r"outside of parts: LINE reads parts\[\d+\]"),
    ("part < count",
     "part < count - 1",
     WRONG),
    ("sum += parts[part * numbers + number];",
     "sum += RELU && parts[part * numbers + number] < 0 ? T(0) : parts[part * numbers + number];",
     WRONG),
    ("if (bias) sum += bias[number % outputs]",
     "if (bias) sum += count * bias[number % outputs]",
     WRONG),
    ("bias[number % outputs]",
     "bias[number / outputs]",
     r"outside of bias: LINE reads bias\[\d+\]|" + WRONG),
    ("if (bias) sum",
     "sum",
     "outside of all arrays: LINE reads"),
    ("sums[number] = RELU && sum < 0",
     "sums[number] = sum < 0",
     WRONG),
]
