"""Ranks with a GPU each: sums of CuPy's arrays go from card to card, by NCCL. Needs mpi4py, and CuPy with NCCL."""
from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from array_api_compat import is_cupy_array

from engine.arrays import Array
from engine.mpi import FEW, MpiRanks
from engine.reduction import in_rank_order

KINDS = {"float32": "NCCL_FLOAT32", "float64": "NCCL_FLOAT64", "int64": "NCCL_INT64"}


class NcclRanks:
    """engine.reduction.Ranks. What lies in main memory is summed by MPI, CuPy's arrays on the cards.

    The sums are those of MpiRanks, addition for addition, so that the bits are the same: NCCL's own, allReduce, adds in
    an order that depends on how the cards are connected. Made by all ranks at once, each on its card, the current
    device of CuPy; one card for two of them NCCL refuses. Raises ImportError as `load_nccl`, ConnectionError where
    NCCL fails, then and in sums.
    """

    def __init__(self, host: MpiRanks) -> None:
        self._nccl = nccl = load_nccl()
        self.host, self.communicator = host, host.communicator
        self.rank, self.size = host.rank, host.size
        with _failures_told():
            identity = self.communicator.bcast(nccl.get_unique_id() if self.rank == 0 else None, root=0)
            self._cards = nccl.NcclCommunicator(self.size, identity, self.rank)

    def sum(self, array: Array, /) -> Array:
        """As `Ranks.sum`: in the order of the ranks, the same bits on all, where the array is.

        On a card: of float32, float64 or int64, else TypeError is raised; enqueued on the current stream.
        """
        if not is_cupy_array(array):
            return self.host.sum(array)
        import cupy

        nccl, stream = self._nccl, cupy.cuda.get_current_stream().ptr
        if array.dtype.name not in KINDS:
            raise TypeError(f"an array of {array.dtype}; expected one of {', '.join(KINDS)}, which NCCL sums here")
        kind = getattr(nccl, KINDS[array.dtype.name])
        own = cupy.ascontiguousarray(array).reshape(-1)
        with _failures_told():
            if own.size <= FEW:
                of_all = cupy.empty((self.size, own.size), own.dtype)
                self._cards.allGather(own.data.ptr, of_all.data.ptr, own.size, kind, stream)
                return in_rank_order(of_all).reshape(array.shape)
            # allGather wants parts of one length: what the last ranks have less is filled up, and cut off at the end
            length = -(-own.size // self.size)
            parts = [own[rank * length:(rank + 1) * length] for rank in range(self.size)]
            mine = parts[self.rank].size
            of_mine = cupy.empty((self.size, mine), own.dtype)
            with _group(nccl):
                for rank, part in enumerate(parts):
                    if part.size:
                        self._cards.send(part.data.ptr, part.size, kind, rank, stream)
                    if mine:
                        self._cards.recv(of_mine[rank].data.ptr, mine, kind, rank, stream)
            summed, total = cupy.zeros(length, own.dtype), cupy.empty(length * self.size, own.dtype)
            summed[:mine] = in_rank_order(of_mine)
            self._cards.allGather(summed.data.ptr, total.data.ptr, length, kind, stream)
            return total[:own.size].reshape(array.shape)


def load_nccl() -> ModuleType:
    """CuPy's NCCL. Raises ImportError, with what to install, where CuPy finds none."""
    import cupy

    with warnings.catch_warnings():  # CuPy's of the same, with another way to install it
        warnings.simplefilter("ignore")
        from cupy.cuda import nccl
    if not nccl.available:
        major = cupy.cuda.runtime.runtimeGetVersion() // 1000
        raise ImportError(f"CuPy finds no NCCL, by which GPUs send to each other: pip install nvidia-nccl-cu{major}")
    return nccl


@contextmanager
def _group(nccl: Any) -> Iterator[None]:
    """Sends and receives in here begin at its end, all at once: one after the other, they would wait for each other."""
    nccl.groupStart()
    try:
        yield
    finally:
        nccl.groupEnd()


@contextmanager
def _failures_told() -> Iterator[None]:
    """CuPy's NcclError is a RuntimeError: as an error of the system's it is told without a traceback."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError(f"NCCL, by which the GPUs send to each other, failed: {error}. With NCCL_DEBUG=INFO it "
                              "says more") from error
