"""What several tests of the engine share."""
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.gradient_check import Loss, check, check_complex, check_elements, distinct
from engine.gradient_check.case import scatter
from engine.layer import Run
from engine.reduction import in_rank_order


@pytest.fixture
def failures():
    """failures(checked, layer, shape, run): the rows that did not pass, by parameter, at a point away from kinks."""
    def failing(checked, layer, shape, run=None):
        rng = np.random.default_rng(3)
        scatter(layer, rng)
        low = 0.1 if isinstance(layer, Loss) else -1
        x = distinct(rng, *shape, low=low)
        return {result.parameter: result for result in checked(layer, x, run or Run(), rng) if not result.passed}
    return failing


@pytest.fixture
def assert_caught(failures):
    """Every check finds the rows of the wrong layer and no others, without taking it for a kink; the right one passes.

    rows: by parameter; exact_rows: those that the complex step, which sees smaller errors, finds besides.
    """
    def caught(wrong, right, shape, rows, run=None, least=1e-4, exact_rows=frozenset()):
        for checked in (check, check_elements, check_complex):
            found = failures(checked, wrong, shape, run)
            assert found.keys() == (rows | exact_rows if checked is check_complex else rows), (checked, found)
            assert not any(result.kink for result in found.values()), found
            assert checked is check_complex or all(result.error > least for result in found.values()), found
            assert not failures(checked, right, shape, run), checked
    return caught


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
