"""A pool of threads for jobs on NumPy arrays, whose results do not depend on how many threads there are.

A kernel cuts its work into jobs by the shapes alone and adds their results in the order of the jobs. Inside a job BLAS
has one thread: its own threads would split a product differently on another machine, and fight with ours.

BLAS is told so by the first kernel of a process, and stays so: NumPy products of your own have one thread from then on.
Where they should have more, say so around them: `with threadpoolctl.threadpool_limits(8, user_api="blas"): ...`.
Setting the number around every kernel and restoring it would be undone by every thread that does the same at that time,
for OpenBLAS has one number for the whole process; MKL and an OpenBLAS on OpenMP have one for each thread. So every
thread that works asks for the number, which takes a microsecond, and sets it where it is not one: in a new process, in
a new thread of MKL, or after somebody else restored what had been before the first kernel (threadpool_limits does).

Python lets one thread run at a time; others go on only while they are inside a NumPy call. What threads lose to each
other grows with the number of calls and with every thread that has to be woken: hence long calls, no thread that only
waits for others, and as little Python between two calls as possible.
"""
from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
from threadpoolctl import LibController, ThreadpoolController

Job = TypeVar("Job")
Result = TypeVar("Result")

# Views of one work space that are kept. A training step of the U-net needs 28 of its most varied one.
VIEWS = 64

_scratch = threading.local()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Helpers:
    """Threads that make the calls which are put into their queue, started when they are first needed.

    concurrent.futures would do it, too, and take 0.1 ms longer for every set of jobs: longer than many a job.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.started = 0
        self._starting = threading.Lock()

    def call(self, function: Callable[[], None], times: int) -> None:
        """Have so many threads call the function, or as many as there are; whoever is not needed any more may come."""
        times = min(times, self.most)
        if self.started < times:
            with self._starting:
                for number in range(self.started, times):
                    threading.Thread(target=_make_calls, args=(self.calls,), name=f"kernel_{number}",
                                     daemon=True).start()
                self.started = max(self.started, times)
        for _ in range(times):
            self.calls.put(function)

    def end(self) -> None:
        """The threads go when they have made the calls that are there. A call that comes later is never made."""
        with self._starting:
            self.most = 0
            for _ in range(self.started):
                self.calls.put(None)


def _make_calls(calls: SimpleQueue[Callable[[], None] | None]) -> None:
    while (function := calls.get()) is not None:
        function()
        del function  # and with it the arrays that it works on


class _Pool:
    """The shared pool, and the BLAS libraries whose threads it holds: those loaded by now, NumPy's among them."""

    def __init__(self) -> None:
        self.threads = _processors()
        self.helpers = _Helpers(self.threads - 1)
        self.blas = ThreadpoolController().select(user_api="blas").lib_controllers

    def hold_blas(self) -> None:
        """One thread for the products of this thread."""
        for library in self.blas:
            if library.get_num_threads() not in (1, None):  # None: a library that does not tell cannot be told either
                _let_anyone_set(library)
                library.set_num_threads(1)
                _let_anyone_set(library)


def _let_anyone_set(library: LibController) -> None:
    """threadpoolctl >= 3.7 lets one thread of the process set the number and silently ignores all others."""
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


_pools: dict[int, _Pool] = {}


def _pool() -> _Pool:
    """This process's pool: a forked process inherits no threads and gets a pool of its own."""
    process = os.getpid()
    return _pools.get(process) or _pools.setdefault(process, _Pool())  # threads that come together agree on one


def use_threads(threads: int) -> None:
    """Run jobs on this many threads from now on; the default is one for each processor. Only the speed changes.

    Raises ValueError for fewer than one.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}; expected at least 1")
    pool = _pool()
    old, pool.helpers, pool.threads = pool.helpers, _Helpers(threads - 1), threads
    old.end()  # jobs under way end on the old threads


def parallel(function: Callable[[Job], Result], jobs: Iterable[Job]) -> list[Result]:
    """function(job) for every job, on the pool: the results in the order of the jobs.

    The calling thread works, too: every thread takes the next job as soon as it is done with one, so that nobody is
    woken for a job. The first error ends the work, and comes out when no thread works on any longer.
    """
    pool = _pool()
    jobs = list(jobs)
    results: list = [None] * len(jobs)
    waiting = deque(range(len(jobs)))

    def work() -> None:
        try:
            pool.hold_blas()
            while waiting:
                try:
                    place = waiting.popleft()
                except IndexError:  # another thread was faster
                    return
                results[place] = function(jobs[place])
        except BaseException:
            waiting.clear()
            raise

    helpers = min(pool.threads, len(jobs)) - 1
    if helpers < 1:
        work()
        return results
    # Whoever takes a ticket works, and tells when he is done; those left when all is done nobody may take any more.
    tickets, done = deque(range(helpers)), SimpleQueue[BaseException | None]()

    def help_out() -> None:
        try:
            tickets.pop()
        except IndexError:
            return
        try:
            work()
            done.put(None)
        except BaseException as error:
            done.put(error)

    pool.helpers.call(help_out, helpers)
    try:
        work()
    finally:
        errors = [done.get() for _ in range(helpers - _taken_back(tickets))]
    for error in errors:
        if error is not None:
            raise error
    return results


def _taken_back(tickets: deque[int]) -> int:
    """How many of the tickets nobody has taken; now nobody can."""
    count = 0
    while tickets:
        try:
            tickets.pop()
        except IndexError:  # a thread came at this moment
            break
        count += 1
    return count


def run(function: Callable[[Job], object], jobs: Iterable[Job]) -> None:
    """function(job) for every job, on the pool, for its effects."""
    parallel(function, jobs)


def scratch(name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Work space of this thread, not initialized, used again by the next job that asks under the same name.

    Views are kept by shape: finding one takes a small part of the time of making one, and no other thread can go on
    meanwhile. Of shapes that never end, as where every image has a size of its own, only the last VIEWS are kept.
    """
    views = _scratch.__dict__.setdefault(name, {})
    view = views.get((shape, dtype))
    if view is None:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        space = next(iter(views.values())).base if views else None
        if space is None or size > space.size:
            views.clear()
            space = np.empty(size, np.uint8)
        elif len(views) >= VIEWS:
            views.pop(next(iter(views)))
        view = views[shape, dtype] = space[:size].view(dtype).reshape(shape)
    return view


def blocks(total: int, block: int) -> list[slice]:
    """0..total cut into slices of `block`, the last one shorter."""
    return [slice(start, min(start + block, total)) for start in range(0, total, block)]
