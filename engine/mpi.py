"""Ranks that are processes of MPI: `mpiexec -n 4 python program.py`. Needs mpi4py, of the extra "mpi"."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.reduction import in_rank_order, rows_of

# Numbers up to which everybody sends all to everybody: one exchange where sums of parts need two.
FEW = 1 << 12


class MpiRanks:
    """engine.reduction.Ranks, of a communicator of mpi4py.

    The sums are not MPI's own, MPI_Allreduce, which may add in any order. A large array is cut into a part for each
    rank; each is sent all that the others have of its part, adds it up in the order of the ranks, and sends the sum to
    all: of S bytes every rank sends 2 S (size - 1) / size, as little as any way to sum needs.
    """

    def __init__(self, communicator: Any) -> None:
        self.communicator = communicator
        self.rank, self.size = communicator.Get_rank(), communicator.Get_size()

    def sum(self, array: np.ndarray, /) -> np.ndarray:
        """As `Ranks.sum`: in the order of the ranks, the same bits on all."""
        own = np.ascontiguousarray(array).reshape(-1)
        if own.size <= FEW:
            of_all = np.empty((self.size, own.size), own.dtype)
            self.communicator.Allgather(own, of_all)
            return in_rank_order(of_all).reshape(array.shape)
        parts = [rows_of(own.size, rank, self.size) for rank in range(self.size)]
        sizes, starts = [part.stop - part.start for part in parts], [part.start for part in parts]
        mine = sizes[self.rank]
        of_mine = np.empty((self.size, mine), own.dtype)
        self.communicator.Alltoallv([own, sizes, starts, _kind(own)],
                                    [of_mine, [mine] * self.size, [mine * rank for rank in range(self.size)],
                                     _kind(own)])
        total = np.empty_like(own)
        self.communicator.Allgatherv(in_rank_order(of_mine), [total, sizes, starts, _kind(own)])
        return total.reshape(array.shape)


def world() -> MpiRanks:
    """All processes that were started together. Raises ImportError where there is no mpi4py, or no MPI that it finds
    (a RuntimeError of mpi4py's, which says where it looked)."""
    from mpi4py import MPI

    return MpiRanks(MPI.COMM_WORLD)


def bytes_sent(numbers: int, size: int, itemsize: int = 4) -> float:
    """What each of `size` ranks sends in a step for the gradients of so many parameters: see MpiRanks."""
    return 2 * numbers * itemsize * (size - 1) / size


def seconds_sent(numbers: int, size: int, bandwidth: float, itemsize: int = 4) -> float:
    """How long that takes at least at so many bytes a second into a rank and out of it at the same time; what the sums
    of batch norm and of the loss take, a few messages of some kilobytes, is not in it."""
    return bytes_sent(numbers, size, itemsize) / bandwidth


def _kind(array: np.ndarray) -> Any:
    """MPI's datatype of its numbers."""
    from mpi4py.util import dtlib

    return dtlib.from_numpy_dtype(array.dtype)
