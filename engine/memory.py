"""What backward keeps, counted: the arrays that forward's `saved` holds, each once, however many layers hold it."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.layer import Layer


def arrays(value: Any) -> dict[int, np.ndarray]:
    """Every NumPy array that a value holds, by the identity of the array that owns its memory."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        return {id(value): value}
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else (
        vars(value).values() if hasattr(value, "__dict__") else ())
    return {key: array for each in inside for key, array in arrays(each).items()}


def kept_bytes(saved: Any, layer: Layer, *others: Any) -> int:
    """Of the arrays in `saved`, without the layer's parameters and averages and without those in the others."""
    known = arrays([layer.parameters(), layer.moving_averages(), *others])
    return sum(array.nbytes for key, array in arrays(saved).items() if key not in known)
