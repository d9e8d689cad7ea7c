"""Adam: one number, a block less one and more; the first step and a later one."""
from engine.kernels import adam_update


def cases(rng):
    for shape in ((1,), (5, 51), (3, 3, 4, 11), (0, 3)):
        for step in (1, 30):
            parameter, gradient, m1, m2 = rng.normal(size=(4, *shape))
            yield adam_update, (parameter, gradient, m1, m2 * m2, step, 0.1, 0.9, 0.999, 1e-8)


WRONG = "Not equal to tolerance"
PLANTED = []
