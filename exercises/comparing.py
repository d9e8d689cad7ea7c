"""An answer against what is expected: which entry is wrong, and the tolerance that knows a true zero."""
from __future__ import annotations

import numpy as np

from exercises.exercise import Expected


def alike(first: np.ndarray, second: np.ndarray, tolerance: float) -> bool:
    """Whether two arrays of one shape differ nowhere by more; numbers that are not finite only where both are so."""
    return first.shape == second.shape and not _apart(first, second, tolerance).any()


def wrong_entries(got: np.ndarray, expected: Expected) -> np.ndarray | None:
    """A mask of the wrong entries; None where the shape is another, so that there are no entries to compare."""
    return _apart(got, expected.value, expected.tolerance) if got.shape == expected.value.shape else None


def problem(got: np.ndarray, expected: Expected) -> str:
    """What is wrong with an answer, in a sentence; "" for nothing."""
    value = expected.value
    if got.shape != value.shape:
        return f"its shape is {got.shape}, expected {value.shape}"
    if got.dtype != value.dtype:
        return f"its dtype is {got.dtype}, expected {value.dtype}"
    mask = _apart(got, value, expected.tolerance)
    if not mask.any():
        return ""
    with np.errstate(all="ignore"):
        off = np.where(mask, np.nan_to_num(np.abs(got.astype(complex) - value), nan=np.inf, posinf=np.inf), -1)
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(off)), off.shape))
    place = f"entry [{', '.join(map(str, worst))}]" if worst else "it"
    if expected.labels and worst:
        place = expected.labels[worst[0]]
    count = f"; wrong: {int(mask.sum())} of {mask.size} entries" if mask.size > 1 else ""
    if expected.labels and mask.sum() > 1:
        count += f", {'; '.join(label for label, off in zip(expected.labels, mask, strict=True) if np.any(off))}"
    return f"{place} is {_shown(got[worst])}, expected {_shown(value[worst])} by {expected.how}{count}"


def largest_error(got: np.ndarray, expected: Expected) -> float:
    """The largest difference, absolute."""
    if got.dtype == bool:
        return float(np.max(got != expected.value, initial=0))
    return float(np.max(np.abs(got - expected.value), initial=0.0))


def _apart(first: np.ndarray, second: np.ndarray, tolerance: float) -> np.ndarray:
    if first.dtype == bool or second.dtype == bool:
        return np.asarray(first != second)
    with np.errstate(all="ignore"):
        near = np.abs(first - second) <= tolerance
    return np.asarray(~(near | ((first == second) | (np.isnan(first) & np.isnan(second)))))


def _shown(number: np.generic) -> str:
    return f"{number.item() + 0:.6g}" if np.issubdtype(number.dtype, np.inexact) else str(number)  # -0 + 0 is 0
