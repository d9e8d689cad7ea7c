"""Ranks that are processes of MPI: `mpiexec -n 4 python program.py`. Needs mpi4py, of the extra "mpi"."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.layer import Layer, parameter_count
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


def bytes_of_sum(numbers: int, size: int, itemsize: int = 4) -> float:
    """What each of `size` ranks sends for `MpiRanks.sum` of so many numbers."""
    others = size - 1
    return float(numbers * itemsize * others) if numbers <= FEW else 2 * numbers * itemsize * others / size


def bytes_of_step(network: Layer, size: int) -> float:
    """What each of `size` ranks sends in a training step of the network, in whatever batches.

    Once the gradients, and for every batch norm of C channels twice C numbers forward and 2 C backward, in float64.
    Loss and the rows of each rank, a few numbers, are not in it.
    """
    norms = [array.size for path, array in network.moving_averages().items() if path.split(".")[-1] == "mean"]
    return bytes_of_sum(parameter_count(network), size) + sum(
        2 * bytes_of_sum(channels, size, 8) + bytes_of_sum(2 * channels, size, 8) for channels in norms)


def seconds_of_step(network: Layer, size: int, bandwidth: float) -> float:
    """How long that takes at least, where so many bytes a second go out of every rank and into it at the same time."""
    return bytes_of_step(network, size) / bandwidth


def _kind(array: np.ndarray) -> Any:
    """MPI's datatype of its numbers."""
    from mpi4py.util import dtlib

    return dtlib.from_numpy_dtype(array.dtype)
