"""What tests of the engine, the models and the experiments share."""
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.kernels.cpu import use_threads
from engine.reduction import in_rank_order


@pytest.fixture
def threads_restored():
    """Back to one thread for each processor, whatever the test chose."""
    yield
    use_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class ThreadRanks:
    """Ranks in one process, each a thread: see `on_ranks`."""

    def __init__(self, rank, size, barrier, given):
        self.rank, self.size, self._barrier, self._given = rank, size, barrier, given

    def sum(self, array):
        self._given[self.rank] = array
        self._barrier.wait()
        parts = [self._given[rank] for rank in range(self.size)]
        total = in_rank_order(parts)
        self._barrier.wait()  # nobody takes anything back before all have read
        self._given[self.rank] = None  # nothing is left of it: to the gradient check a change would be a pass's
        assert len({(part.shape, part.dtype) for part in parts}) == 1, "the ranks sum different things"
        return total


@pytest.fixture
def on_ranks():
    """on_ranks(size, function): [function(ranks) of every rank], called by a thread for each. The first error of one
    ends the others, and comes out."""
    def call(size, function):
        barrier, given, errors = threading.Barrier(size, timeout=120), [None] * size, []

        def work(rank):
            try:
                return function(ThreadRanks(rank, size, barrier, given))
            except BaseException as error:
                if not isinstance(error, threading.BrokenBarrierError):
                    errors.append(error)
                barrier.abort()
                return None

        with ThreadPoolExecutor(size) as threads:
            results = list(threads.map(work, range(size)))
        if errors:
            raise errors[0]
        assert not barrier.broken
        return results
    return call
