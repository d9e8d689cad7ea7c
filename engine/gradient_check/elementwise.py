"""The gradient entry by entry: slow, and it names the entry that is wrong."""
from __future__ import annotations

import numpy as np

from engine.gradient_check.comparison import Comparer
from engine.gradient_check.protocol import begin
from engine.gradient_check.result import Result, badness
from engine.layer import Layer, Run


def check_elements(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator, name: str = "",
                   samples: int | None = None) -> list[Result]:
    """Every entry of x and of every parameter against its central difference; the message names the worst one.

    samples: how many random entries of each array to check; None for all. Raises ValueError as `check`.
    """
    rows, comparer = begin(layer, x, run, rng, name)
    return rows + along_entries(comparer, rng, samples) if comparer else rows


def along_entries(comparer: Comparer, rng: np.random.Generator, samples: int | None) -> list[Result]:
    """The rows of `check_elements` beyond the protocol's."""
    results = []
    for parameter, array in comparer.arrays(comparer.layer, comparer.x):
        flat = np.arange(array.size)
        if samples is not None and samples < array.size:
            flat = np.sort(rng.choice(array.size, samples, replace=False))
        entries = []
        for index in zip(*np.unravel_index(flat, array.shape), strict=True):
            direction = np.zeros(array.shape)
            direction[index] = 1
            at = f"worst entry [{', '.join(str(int(i)) for i in index)}]: "
            entries.append(comparer.compare(parameter, array, direction, at))
        results.append(max(entries, key=badness))
    return results
