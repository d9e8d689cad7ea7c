"""A pool of threads for jobs on NumPy arrays, whose results do not depend on how many threads there are.

A kernel cuts its work into jobs by the shapes alone and adds their results in the order of the jobs. Inside a job BLAS
has one thread: its own threads would split a product differently on another machine, and fight with ours.

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
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

Job = TypeVar("Job")
Result = TypeVar("Result")

_scratch = threading.local()
_NOTHING = np.empty(0, np.uint8)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _helpers(threads: int) -> ThreadPoolExecutor:
    """One thread fewer: the one that calls works, too. Each has work buffers of its own, tens of megabytes."""
    return ThreadPoolExecutor(max(1, threads - 1), "kernel")


class _Pool:
    """The shared pool, and BLAS held at one thread while any job is under way."""

    def __init__(self) -> None:
        self.threads = _processors()
        self.executor = _helpers(self.threads)
        self.controller = ThreadpoolController()
        self.lock = threading.Lock()
        self.users = 0

    @contextmanager
    def single_threaded_blas(self):
        with self.lock:
            if self.users == 0:
                self._claim_blas()
                self.limiter = self.controller.limit(limits=1, user_api="blas")
            self.users += 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                if self.users == 0:
                    self._claim_blas()  # the last thread to leave need not be the one that came first
                    self.limiter.restore_original_limits()
                    self._claim_blas()

    def _claim_blas(self) -> None:
        """Let this thread set the number of BLAS threads: threadpoolctl >= 3.7 ignores all but the first, silently."""
        for library in self.controller.lib_controllers:
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
    pool = _pool()  # jobs under way end on the old threads, which go when they are done
    pool.threads, pool.executor = threads, _helpers(threads)


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
            while waiting:
                try:
                    place = waiting.popleft()
                except IndexError:  # another thread was faster
                    return
                results[place] = function(jobs[place])
        except BaseException:
            waiting.clear()
            raise

    with pool.single_threaded_blas():
        helpers = [pool.executor.submit(work) for _ in range(min(pool.threads, len(jobs)) - 1)]
        try:
            work()
        finally:
            started = [helper for helper in helpers if not helper.cancel()]
            wait(started)
        for helper in started:
            helper.result()
    return results


def run(function: Callable[[Job], object], jobs: Iterable[Job]) -> None:
    """function(job) for every job, on the pool, for its effects."""
    parallel(function, jobs)


def scratch(name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Work space of this thread, not initialized, used again by the next job that asks under the same name.

    Views are kept by shape: finding one takes a small part of the time of making one, and no other thread can go on
    meanwhile.
    """
    held = _scratch.__dict__.setdefault(name, {})
    view = held.get((shape, dtype))
    if view is None:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size > held.get("space", _NOTHING).size:
            held.clear()
            held["space"] = np.empty(size, np.uint8)
        view = held[shape, dtype] = held["space"][:size].view(dtype).reshape(shape)
    return view


def blocks(total: int, block: int) -> list[slice]:
    """0..total cut into slices of `block`, the last one shorter."""
    return [slice(start, min(start + block, total)) for start in range(0, total, block)]
