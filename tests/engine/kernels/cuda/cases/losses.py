"""The losses' sums: one number, a thread's, several parts; logits far from 0; no numbers; one class and many."""
import numpy as np

from engine.kernels import error_sums, logistic_loss, overlap_sums, sigmoids, softmax_loss


def cases(rng):
    for shape in ((1,), (4, 5), (2, 7, 5, 3), (3, 3001), (0, 3)):
        p, y = rng.random((2, *shape))
        z = rng.normal(size=shape) * 5
        yield overlap_sums, (p, y)
        yield error_sums, (p, y)
        yield sigmoids, (z,)
        yield logistic_loss, (z, np.round(y), 1.0)
        yield logistic_loss, (z, y, 3.0)
    for shape in ((1, 1), (5, 3), (2, 3, 4, 2), (4200, 2), (3, 70), (0, 3)):
        yield softmax_loss, (5 * rng.normal(size=shape), rng.random(shape))
    extreme = np.array([1000.0, -1000.0, 0.0])
    yield sigmoids, (extreme,)
    yield logistic_loss, (extreme, np.array([1.0, 0.0, 0.5]), 1.0)
    yield softmax_loss, (extreme[None], np.array([[0.5, 0.0, 0.5]]))
    yield softmax_loss, (np.array([[0.0, np.nan]]), np.array([[1.0, 0.0]]))


WRONG = "Not equal to tolerance"
PLANTED = []
