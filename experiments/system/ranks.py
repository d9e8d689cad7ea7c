"""The processes that `mpiexec -n N python experiments/...` starts: one is the command, the others train with it.

Rank 0 is all that the user meets: it reads the data, writes, evaluates and reports. The others wait until it calls
them, do as they are told, print nothing, and end when it ends, with its exit code. What it calls for is pickled, and
the bytes go from process to process, never through a file.
"""
from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NoReturn

from engine.arrays import Array
from experiments.system.errors import Failure, UsageError
from experiments.system.jobs import explain

# What the launchers say of the process: its number and how many there are. MPICH and Intel MPI, Open MPI.
LAUNCHERS = (("PMI_RANK", "PMI_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"))
POLL = 0.01  # seconds between two looks whether rank 0 calls: whoever waits in MPI itself keeps a processor busy
TAG = 1


class ProcessRanks:
    """Ranks (engine.reduction) that the launcher started.

    engaged: whether the others are at work on a call, and cannot be told anything else.
    """

    def __init__(self, ranks: Any) -> None:
        self._ranks, self.communicator = ranks, ranks.communicator
        self.rank, self.size = ranks.rank, ranks.size
        self.engaged = False

    def sum(self, array: Array, /) -> Array:
        return self._ranks.sum(array)

    def sum_on_cards(self) -> None:
        """By all at once, each on its card: from now on CuPy's arrays are summed there. Raises as NcclRanks does."""
        from engine.nccl import NcclRanks

        self._ranks = NcclRanks(self._ranks)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """On rank 0: the others begin function(ranks, *arguments)."""
        self._wake()
        self.communicator.bcast((function, arguments), root=0)
        self.engaged = True

    def serve(self) -> int:
        """On the others: do what rank 0 calls for until it ends; its exit code."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for rank 0, which ends the others
        communicator = self.communicator
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # as in `run_command`
            while True:
                while not communicator.iprobe(source=0, tag=TAG):
                    time.sleep(POLL)
                communicator.recv(source=0, tag=TAG)
                try:
                    function, arguments = communicator.bcast(None, root=0)
                    if function is None:
                        return arguments[0]
                    function(self, *arguments)
                except BaseException as error:
                    self.abort(error)

    def end(self, code: int) -> None:
        """On rank 0, after its last message: the others end, with the same exit code."""
        if self.engaged:
            self.communicator.Abort(code or 1)
        self._wake()
        self.communicator.bcast((None, (code,)), root=0)

    def abort(self, error: BaseException) -> NoReturn:
        """End all processes, with one message."""
        known = isinstance(error, UsageError | Failure | MemoryError | OSError | KeyboardInterrupt)
        said = explain(error) if known else "".join(traceback.format_exception(error))
        print(f"error: on rank {self.rank} of {self.size}: {said}", file=sys.stderr, flush=True)
        self.communicator.Abort(1)
        os._exit(1)  # the launcher's end may come a moment later

    def _wake(self) -> None:
        for rank in range(1, self.size):
            self.communicator.send(None, dest=rank, tag=TAG)


def launched(environment: Mapping[str, str]) -> tuple[int, int]:
    """Number of this process, and how many a launcher started together; (0, 1) without one."""
    for rank, size in LAUNCHERS:
        if rank in environment and size in environment:
            return int(environment[rank]), int(environment[size])
    return 0, 1


@cache
def process_ranks() -> ProcessRanks | None:
    """The ranks of this process, and its share of this machine's threads; None where it was started alone.

    Raises UsageError where mpi4py is missing, or is one of another MPI than the launcher's.
    """
    _, size = launched(os.environ)
    if size == 1:
        return None
    try:
        from engine.mpi import world

        ranks = world()
    except (ImportError, RuntimeError):  # the latter of mpi4py, where it finds no MPI
        raise UsageError('several processes need mpi4py and an MPI: pip install -e ".[mpi]"') from None
    if ranks.size != size:
        raise UsageError(f"the launcher started {size} processes, and mpi4py sees {ranks.size}: they are of different "
                         "MPIs. Use the mpiexec beside this Python")
    from engine.kernels.cpu import use_threads

    use_threads(threads_of(ranks.communicator))
    return ProcessRanks(ranks)


def threads_of(communicator: Any) -> int:
    """Threads of each rank: its processors, shared with the ranks that have the same ones."""
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    beside = on_this_machine(communicator).allgather(own)
    return max(1, len(own) // beside.count(own))


def on_this_machine(communicator: Any) -> Any:
    """A communicator of those of its processes that share this one's memory, in the same order."""
    from mpi4py import MPI

    return communicator.Split_type(MPI.COMM_TYPE_SHARED)
