"""Two tensors beside each other and added up: one channel, many, none of one of them; several blocks."""
from engine.kernels import add, concatenate


def cases(rng):
    for shape, more in (((3, 5, 7, 6), 2), ((1, 1, 1, 1), 3), ((4, 9), 2), ((2, 30, 40), 80), ((300, 1), 1),
                        ((0, 2, 3, 1), 2), ((5, 3), 0)):
        a, b = rng.normal(size=shape), rng.normal(size=(*shape[:-1], more))
        yield concatenate, (a, b)
        yield add, (a, a - 2)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("b + (own.channel - of_a)",
     "b + own.channel",
     WRONG + "|" + r"outside of b: "),
    ("own.channel < of_a",
     "own.channel <= of_a",
     WRONG + "|" + r"outside of (a|b): "),
    ("if (i < count) sum[i]",
     "if (i + 1 < count) sum[i]",
     WRONG),
]
