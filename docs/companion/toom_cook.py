"""The three matrices of Winograd's minimal filtering for given places, in exact fractions, and what rounding does.

    y = A' [(G w) . (B' d)]        w: `taps` numbers, d: outputs + taps - 1, y: `outputs`
"""
from collections.abc import Sequence
from fractions import Fraction

import numpy as np


def matrices(places: Sequence[Fraction | int], outputs: int,
             taps: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (n, outputs), B' (n, n) and G (n, taps), arrays of Fractions; their rows are the places, the last one is oo.

    places: the n - 1 finite ones, n = outputs + taps - 1. Raises ValueError for another number of them, or for equal
    ones: a polynomial is not known by fewer values than it has coefficients.
    """
    n = outputs + taps - 1
    places = [Fraction(p) for p in places]
    if len(set(places)) != n - 1:
        raise ValueError(f"{len(set(places))} different finite places; expected {n - 1}, "
                         f"for {outputs} outputs and {taps} taps")
    A = np.array([[p**i for i in range(outputs)] for p in places]
                 + [[Fraction(i == outputs - 1) for i in range(outputs)]])
    G = np.array([[p**u / _product(p - q for q in places if q != p) for u in range(taps)] for p in places]
                 + [[Fraction(u == taps - 1) for u in range(taps)]])
    BT = np.array([[*_polynomial([q for q in places if q != p]), Fraction(0)] for p in places] + [_polynomial(places)])
    return A, BT, G


def _product(factors) -> Fraction:
    result = Fraction(1)
    for factor in factors:
        result *= factor
    return result


def _polynomial(roots: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients of the product of x - root, from that of 1 upwards."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted, kept = [Fraction(0), *coefficients], [*coefficients, Fraction(0)]
        coefficients = [a - root * b for a, b in zip(shifted, kept, strict=True)]
    return coefficients


def amplification(places: Sequence[Fraction | int], outputs: int) -> float:
    """How much larger than the result the numbers are that cancel, in two dimensions, as a root mean square.

    For independent normal w and d the product at place p has the size |G row p| |B' row p|, and enters y[i] times
    A[p, i]. The root of the sum of the squares of those terms, over that of the three that y[i] is made of directly,
    averaged over i; squared, as rows and columns are transformed one after the other.
    """
    A, BT, G = (matrix.astype(float) for matrix in matrices(places, outputs))
    sizes = (G**2).sum(1) * (BT**2).sum(1)
    return float((A**2 * sizes[:, None]).sum(0).mean() / G.shape[1])


def measured(places: Sequence[Fraction | int], outputs: int, channels: int = 32, tiles: int = 64,
             seed: int = 0) -> tuple[float, float]:
    """(root mean square error of tiles in float32, of the direct sums), relative to the outputs' root mean square.

    Tiles of normal numbers; both are held against float64.
    """
    rng = np.random.default_rng(seed)
    n = outputs + 2
    d = rng.standard_normal((n, n, tiles, channels)).astype(np.float32)
    w = rng.standard_normal((3, 3, channels, 4)).astype(np.float32)
    A, BT, G = (matrix.astype(float).astype(np.float32) for matrix in matrices(places, outputs))
    products = np.matmul(_both_sides(BT, d), _both_sides(G, w))
    y = _both_sides(np.ascontiguousarray(A.T), products)
    exact, direct = (_directly(d.astype(dtype), w.astype(dtype), outputs) for dtype in (np.float64, np.float32))
    scale = np.sqrt((exact**2).mean())
    return tuple(float(np.sqrt(((found - exact) ** 2).mean()) / scale) for found in (y, direct))


def _both_sides(matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
    """matrix x matrix' on the first two axes of x."""
    return np.moveaxis(np.tensordot(matrix, np.tensordot(matrix, x, (1, 0)), (1, 1)), 0, 1)


def _directly(d: np.ndarray, w: np.ndarray, outputs: int) -> np.ndarray:
    return sum(np.matmul(d[u:u + outputs, v:v + outputs], w[u, v]) for u in range(3) for v in range(3))
