"""A batch whose samples lie on several ranks, processes that each hold the network and some of the batch's rows.

Most layers treat every sample by itself and need not know. What sums over the batch, batch norm and the losses, asks
the reduction of its Run for the sum over all ranks; what draws for the batch, dropout, for the rows that are here:

    sums = run.reduction.sum(...)
    N = run.reduction.samples(x.shape[0])

In one process both are what they were given. The ranks add up in their order, so that the same number of them gives the
same bits, and all of them get the same.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from array_api_compat import array_namespace, device

from engine.arrays import Array, empty


class Ranks(Protocol):
    """The processes that train together.

    rank   the number of this one, from 0
    size   how many there are
    """
    rank: int
    size: int

    def sum(self, array: Array, /) -> Array:
        """array of rank 0 + array of rank 1 + ..., in this order: the same shape, and the same bits on every rank.

        All have to call it in the same order, with arrays of one shape and dtype. Whoever can sum arrays of other
        libraries than NumPy gives back such ones, on the device where they were.
        """


class Reduction:
    """The whole batch is here: a layer in one process computes with what it has."""

    def samples(self, here: int) -> int:
        """Number of samples in the batch, of which so many are here."""
        return here

    def sum(self, *arrays: Array) -> tuple[Array, ...]:
        """The sums over all ranks of what this one has of them."""
        return arrays

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Of all samples, from mean and population variance of those that are here."""
        return mean, variance

    def rows(self, like: Array, draw: Callable[[Array], Array]) -> Array:
        """What draw(array of the whole batch) gives to the samples in `like`, those that are here."""
        return draw(like)


WHOLE = Reduction()


@dataclass(frozen=True)
class Shared(Reduction):
    """Rows first to first + here of a batch of `total`; the other ranks have the others.

    Sums are made in float64 (complex numbers in complex128), where the arrays are, and come back in the dtypes of what
    was given.
    """
    ranks: Ranks
    first: int
    here: int
    total: int

    def samples(self, here: int) -> int:
        """Raises ValueError where the rank has another number of them."""
        if here != self.here:
            raise ValueError(f"rank {self.ranks.rank} has {self.here} of the batch's {self.total} samples, and was "
                             f"given {here}: expected all of its own at once")
        return self.total

    def sum(self, *arrays: Array) -> tuple[Array, ...]:
        own = [_wide(array) for array in arrays]
        total = self.ranks.sum(_flat(own))
        return tuple(_like(part, array) for part, array in zip(_cut(total, own), arrays, strict=True))

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """With w = here / total on every rank:

            mu = sum of w mean            var = sum of w (variance + (mean - mu)^2)

        The mean comes first, as in the definition: from sums of squares, two large numbers would cancel.
        """
        w, here = self.here / self.total, _wide(mean)
        mu = self.ranks.sum(w * here)
        return _like(mu, mean), _like(self.ranks.sum(w * (_wide(variance) + (here - mu) ** 2)), variance)

    def rows(self, like: Array, draw: Callable[[Array], Array]) -> Array:
        total = self.samples(like.shape[0])
        return draw(empty((total, *like.shape[1:]), like))[self.first:self.first + self.here, ...]


def share(ranks: Ranks, here: int) -> Shared:
    """The reduction of a batch of which the ranks hold the rows in their order, this one so many.

    Raises ValueError on every rank where one of them has none: it would have no gradient to add.
    """
    counts = np.zeros(ranks.size)
    counts[ranks.rank] = here
    rows = [int(count) for count in ranks.sum(counts)]
    if not all(rows):
        raise ValueError(f"a batch of {sum(rows)} samples lies on the {ranks.size} ranks as {rows}; expected at least "
                         "one on each: take fewer ranks or a larger batch")
    return Shared(ranks, sum(rows[:ranks.rank]), here, sum(rows))


def rows_of(batch: int, rank: int, size: int) -> slice:
    """Which rows of a batch a rank takes: one after the other, and as many as the others to one."""
    return slice(batch * rank // size, batch * (rank + 1) // size)


def in_rank_order(parts: Iterable[Array]) -> Array:
    """The sum that `Ranks.sum` promises, a new array. parts: of the ranks, in their order."""
    first, *others = parts
    total = array_namespace(first).asarray(first, copy=True)
    for part in others:
        total += part
    return total


def summed(arrays: dict[str, Array], ranks: Ranks) -> dict[str, Array]:
    """Every array, summed over the ranks: laid one behind the other, they travel as one."""
    if not arrays:
        return {}
    own = list(arrays.values())
    total = ranks.sum(_flat(own))
    return {name: _like(part, array)
            for (name, array), part in zip(arrays.items(), _cut(total, own), strict=True)}


def _wide(array: Array) -> Array:
    """In float64 or complex128, where it is."""
    xp = array_namespace(array)
    wide = xp.complex128 if xp.isdtype(array.dtype, "complex floating") else xp.float64
    return xp.astype(array, wide, copy=False)


def _like(array: Array, other: Array) -> Array:
    """In the dtype, library and place of another."""
    return array_namespace(other).asarray(array, dtype=other.dtype, device=device(other))


def _flat(arrays: Sequence[Array]) -> Array:
    """One behind the other, where they are."""
    xp = array_namespace(*arrays)
    return xp.concat([xp.reshape(array, (-1,)) for array in arrays])


def _cut(flat: Array, like: Sequence[Array]) -> list[Array]:
    """The arrays in the shapes of others of which a flat one is made."""
    xp, start, parts = array_namespace(flat), 0, []
    for array in like:
        end = start + math.prod(array.shape)
        parts.append(xp.reshape(flat[start:end], array.shape))
        start = end
    return parts
