"""Random numbers: one, the numbers of a thread less one and more, of a block and more; small and large seeds."""
import numpy as np

from engine.kernels import uniform


def cases(rng):
    for shape, seed in (((1,), (0,)), ((7,), (0, 3)), ((8,), (1, 2, 3)), ((3, 3), (2**40,)), ((2, 3, 5, 7), (5, 0, 1)),
                        ((2048,), (0,)), ((2051,), (9, 9)), ((5, 2, 411), (2**64 + 1,)), ((0, 3), (1,))):
        yield uniform, (np.zeros(shape), seed)


WRONG = "Not equal to tolerance"
PLANTED = []
