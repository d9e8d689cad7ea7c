"""ReLU: one number, a block less one, a block and one more, several; numbers that are none."""
import numpy as np

from engine.kernels import relu, relu_gradient

SHAPES = [(1,), (5, 51), (257,), (2, 7, 5, 11), (600, 70), (0, 3), (3, 0, 2)]


def cases(rng):
    for shape in SHAPES:
        a = rng.normal(size=shape)
        yield relu, (a,)
        if len(shape) > 1:
            yield relu_gradient, (rng.normal(size=shape), np.maximum(a, 0))
    yield relu, (np.array([np.nan, np.inf, -np.inf, 0.0, -1.0]),)
    yield relu_gradient, (np.array([[np.inf, 1.0, np.inf]]), np.array([[1.0, 0.0, 2.0]]))


WRONG = "Not equal to tolerance"
PLANTED = [
    ("a[i] < 0 ? 0 : a[i]",
     "fmax(a[i], T(0))",
     WRONG),
    ("if (i < count) o[i]",
     "if (i <= count) o[i]",
     r"outside of a: LINE reads a\[2\]"),
    ("(o[i] > 0)",
     "(o[i] >= 0)",
     WRONG),
    ("sum += product",
     "sum += d_o[i]",
     WRONG),
    ("row * channels + own.channel;",
     "row * channels + own.slot;",
     r"outside of d_o: LINE|race on da\[\d+\]|" + WRONG),
    ("if (own.slot == 0) sums",
     "if (own.slot < 2) sums",
     r"race on sums\[\d+\]: LINE writes, LINE writes"),
    ("thread_of_grid();\n    if (i < count) o[i]",
     "threadIdx.x;\n    if (i < count) o[i]",
     r"race on o\[\d+\]: .* writes, .* writes .* of block 1, .* of block 0"),
    ("relu(const T* __restrict__ a",
     "relu(const float* __restrict__ a",
     "given an array of float64 for a; expected float32"),
]
