"""Adam: one number, a block less one and more; the first step and a later one."""
from engine.kernels import adam_update, adam_update_all


def cases(rng):
    for shape in ((1,), (5, 51), (3, 3, 4, 11), (0, 3)):
        for step in (1, 30):
            parameter, gradient, m1, m2 = rng.normal(size=(4, *shape))
            yield adam_update, (parameter, gradient, m1, m2 * m2, step, 0.1, 0.9, 0.999, 1e-8)
    for shapes in ([(5,)], [(3, 700), (1,), (0, 3), (4, 256), (1025,), (7, 3), (2, 1)], [(0,), (3,), (0,)]):
        parameters, gradients, m1s, roots = ([rng.normal(size=shape) for shape in shapes] for _ in range(4))
        yield adam_update_all, (parameters, gradients, m1s, [root * root for root in roots], 3, 0.1, 0.9, 0.999, 1e-8)


WRONG = "Not equal to tolerance"
PLANTED = []
