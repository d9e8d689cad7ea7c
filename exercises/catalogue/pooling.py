"""What the exercises on pooling share."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exercises.exercise import Setup

Index = tuple[int, int, int, int]
TELLING = ("windows", "stride", "size")


def setups(rng: np.random.Generator) -> list[Setup]:
    """Windows beside each other, on each other, apart, and a row and a column that fill no window."""
    def pool(name: str, size: tuple[int, int], stride: tuple[int, int], image: tuple[int, int], windows: str) -> Setup:
        return Setup(name, {"shape": (2, *image, 3), "size": size, "stride": stride, "windows": windows})

    height, width = (int(side) for side in rng.permutation([4, 6]))
    return [pool("2x2, side by side", (2, 2), (2, 2), (height, width), "side by side"),
            pool("3x3 with stride 2: overlapping", (3, 3), (2, 2), (5, 7), "overlapping"),
            pool("2x3 with stride 1x2: overlapping", (2, 3), (1, 2), (4, 5), "overlapping"),
            pool("2x2 in an odd image: a rest", (2, 2), (2, 2), (height + 1, width + 1), "side by side"),
            pool("1x2 with stride 2x3: gaps", (1, 2), (2, 3), (5, 6), "apart")]


def windows(shape: tuple[int, ...], setup: Setup) -> Iterator[tuple[Index, list[Index]]]:
    """Every output's index, and those of the pixels in its window, rows first."""
    (height, width), (down, right) = setup["size"], setup["stride"]
    for n in range(shape[0]):
        for i in range((shape[1] - height) // down + 1):
            for j in range((shape[2] - width) // right + 1):
                for c in range(shape[3]):
                    yield (n, i, j, c), [(n, down * i + u, right * j + v, c)
                                         for u in range(height) for v in range(width)]


def outputs(shape: tuple[int, ...], setup: Setup) -> tuple[int, ...]:
    rows, columns = ((side - size) // stride + 1 for side, size, stride in zip(
        shape[1:3], setup["size"], setup["stride"], strict=True))
    return shape[0], rows, columns, shape[3]
