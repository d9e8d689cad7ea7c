"""ReLU: one number, a block less one, a block and one more, several; numbers that are none."""
import numpy as np

from engine.kernels import relu, relu_gradient

SHAPES = [(1,), (5, 51), (257,), (2, 7, 5, 11), (0, 3), (3, 0, 2)]


def cases(rng):
    for shape in SHAPES:
        a = rng.normal(size=shape)
        yield relu, (a,)
        if len(shape) > 1:
            yield relu_gradient, (rng.normal(size=shape), np.maximum(a, 0))
    yield relu, (np.array([np.nan, np.inf, -np.inf, 0.0, -1.0]),)
    yield relu_gradient, (np.array([[np.inf, 1.0, np.inf]]), np.array([[1.0, 0.0, 2.0]]))
