"""What a wrong array has in common with the right one: a factor, a mirror, a transpose, an axis, the border.

Every fact is a phrase that holds for one array; the student is told what holds in every set-up that is wrong.
"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from exercises.comparing import alike, wrong_entries
from exercises.exercise import Arrays, Expected, Task

FACTOR = "every entry is off by one factor, which is another in each set-up"


def in_common(known: list[set[str]]) -> set[str]:
    """The facts that hold everywhere; that there is a factor goes without saying where it is the same."""
    common = set.intersection(*known) if known else set()
    return common - {FACTOR} if any(phrase.startswith("every entry is") for phrase in common - {FACTOR}) else common


def facts(task: Task, name: str, got: np.ndarray, expected: Expected, inputs: Arrays) -> set[str]:
    """The phrases that hold for one wrong array."""
    value = expected.value
    if got.dtype == bool or value.dtype == bool or not got.size:
        return set()
    if not np.isfinite(got).all():
        return {"it holds numbers that are not finite"}
    if not got.any() and value.any():
        return {"all of it is 0"}
    return {*_factors(task, got, expected, inputs), *_rearranged(task, name, got, expected),
            *_places(task, name, got, expected), *_sums(task, got, expected, inputs)}


def _factors(task: Task, got: np.ndarray, expected: Expected, inputs: Arrays) -> Iterator[str]:
    value = expected.value
    if got.shape != value.shape or not value.any():
        return
    factor = float(np.vdot(value, got).real / np.vdot(value, value).real)
    if not factor or not alike(got, factor * value, expected.tolerance * max(1, abs(factor))):
        if got.size > 2 and alike(got - value, np.full(value.shape, (got - value).flat[0]), expected.tolerance):
            yield "every entry is off by the same number: something is added that should not be, or is missing"
        return
    if abs(factor + 1) < 1e-6:
        yield "the sign is wrong everywhere"
        return
    yield FACTOR
    yield f"every entry is {factor:.4g} times what is expected"
    sizes = {axis: size for other, array in inputs.items()
             for axis, size in zip(task.axes(other, array.ndim), array.shape, strict=True)}
    for axis, size in sizes.items():
        for power, how in ((1, "multiplied"), (-1, "divided")):
            if size > 1 and abs(factor - float(size) ** power) < 1e-6 * size:
                yield f"every entry is {how} by the size of the axis '{axis}'"


def _rearranged(task: Task, name: str, got: np.ndarray, expected: Expected) -> Iterator[str]:
    value, axes = expected.value, task.axes(name, expected.value.ndim)
    if got.ndim != value.ndim:
        return
    for count in range(1, value.ndim + 1):
        for some in combinations(range(value.ndim), count):
            if got.shape == value.shape and alike(got, np.flip(value, some), expected.tolerance):
                yield f"it is mirrored: right if it is read backwards along {_listed(axes, some)}"
                return
    for order in permutations(range(value.ndim)):
        turned = np.transpose(value, order)
        if order != tuple(range(value.ndim)) and alike(got, turned, expected.tolerance):
            yield f"it is transposed: its axes are in the order ({', '.join(axes[axis] for axis in order)})"
            return


def _places(task: Task, name: str, got: np.ndarray, expected: Expected) -> Iterator[str]:
    mask = wrong_entries(got, expected)
    if mask is None or mask.all():
        return
    axes = task.axes(name, mask.ndim)
    inner = [axis for axis in range(mask.ndim) if axes[axis] in ("row", "column") and mask.shape[axis] > 2]
    if inner:
        inside = tuple(slice(1, -1) if axis in inner else slice(None) for axis in range(mask.ndim))
        if not mask[inside].any():
            yield "only the border is wrong, the inside is right"
    for axis, size in enumerate(mask.shape):
        wrong = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        if len(wrong) < size and size > 2:
            yield f"along '{axes[axis]}' only {'the first' if list(wrong) == [0] else 'some'} are wrong"
    if not np.any(mask & (np.abs(expected.value) > expected.tolerance)):
        yield "only entries that should be 0 are wrong"


def _sums(task: Task, got: np.ndarray, expected: Expected, inputs: Arrays) -> Iterator[str]:
    for name, array in inputs.items():
        if array.ndim < 2 or (array.ndim <= max(1, got.ndim) and got.shape == expected.value.shape):
            continue
        axes = task.axes(name, array.ndim)
        for count in range(1, array.ndim + 1):
            for some in combinations(range(array.ndim), count):
                for what, total in (("sum", array.sum(axis=some)), ("mean", array.mean(axis=some))):
                    if total.size == got.size > 1 and alike(got.reshape(-1), total.reshape(-1), expected.tolerance):
                        yield f"it is the {what} of {name} over {_listed(axes, some)}"


def _listed(axes: tuple[str, ...], some: tuple[int, ...]) -> str:
    return " and ".join(f"'{axes[axis]}'" for axis in some)
