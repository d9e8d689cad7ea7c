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
PLANTED = [
    ("    if (own.slot > 0) return;\n",
     "\n",
     r"race on sums\[\d+\]: \S+ writes, \S+ writes"),
    ("sums[blockIdx.x * COUNT + k]",
     "sums[blockIdx.x + k]",
     WRONG + "|" + r"race on sums\[\d+\]"),
    ("neither += not_a * not_b",
     "neither += not_a * b",
     WRONG),
    ("square * (1 - b), rest",
     "square, rest",
     WRONG),
    ("p = z < 0 ? small : large",
     "p = large",
     WRONG),
    ("(logit < 0 ? -logit : T(0))",
     "-logit",
     WRONG),
    ("gradient[i] = off * p - on * q",
     "gradient[i] = off * p - q",
     WRONG),
    ("on = omega * y[i]",
     "on = y[i]",
     WRONG),
    ("int k = 1; k < classes",
     "int k = 1; k <= classes",
     WRONG + "|" + r"outside of z: "),
    ("exp(logits[k] - largest), targets",
     "exp(logits[k]), targets",
     WRONG),
    ("* targets - target[k]",
     "- target[k]",
     WRONG),
]
