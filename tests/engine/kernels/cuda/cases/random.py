"""Random numbers: one, the numbers of a thread less one and more, of a block and more; small and large seeds."""
import numpy as np

from engine.kernels import uniform


def cases(rng):
    for shape, seed in (((1,), (0,)), ((7,), (0, 3)), ((8,), (1, 2, 3)), ((3, 3), (2**40,)), ((2, 3, 5, 7), (5, 0, 1)),
                        ((2048,), (0,)), ((2051,), (9, 9)), ((5, 2, 411), (2**64 + 1,)), ((0, 3), (1,))):
        yield uniform, (np.zeros(shape), seed)


WRONG = "Not equal to tolerance"
PLANTED = [
    ("__umul64hi(0xCA5A826395121157ull, c)",
     "__umul64hi(0xCA5A826395121155ull, c)",
     WRONG),
    ("key1 += 0xBB67AE8584CAA73Bull",
     "key1 += 0xBB67AE8584CAA73Dull",
     WRONG),
    ("philox(block + 1,",
     "philox(block,",
     WRONG),
    ("round < 10",
     "round < 9",
     WRONG),
    ("k % 2 * 32",
     "(k + 1) % 2 * 32",
     WRONG),
    ("half >> 8",
     "half >> 9",
     WRONG),
    ("8 * block + 8 <= count",
     "8 * block + 7 <= count",
     r"outside of y: \S+ writes"),
    ("8 * block + k < count",
     "8 * block + k <= count",
     r"outside of y: LINE writes"),
    ("k < 7;",
     "k < 6;",
     WRONG),
]
