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
PLANTED = [
    ("if (i < count) step",
     "if (i <= count) step",
     r"outside of \w+: LINE"),
    ("ends[middle] > blockIdx.x",
     "ends[middle] >= blockIdx.x",
     WRONG + "|" + r"outside of arrays\[\d+\]"),
    ("ends[tensor - 1] : 0",
     "ends[tensor] : 0",
     r"outside of (arrays\[\d+\]|all arrays)"),
    (" && i < count; i += blockDim.x",
     "; i += blockDim.x",
     r"outside of arrays\[\d+\]: \S+ (reads|writes) arrays\[\d+\]\[\d+\]"),
    ("*m1 = arrays[2 * tensors",
     "*m1 = arrays[3 * tensors",
     WRONG),
    ("m2 / correction2",
     "m2",
     WRONG),
    ("rest2 * (g * g)",
     "rest2 * g",
     WRONG),
]
