"""A pool of threads for jobs on NumPy arrays, whose results do not depend on how many threads there are.

A kernel cuts its work into jobs by the shapes alone and adds their results in the order of the jobs. Inside a job BLAS
has one thread: its own threads would split a product differently on another machine, and fight with ours.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

Job = TypeVar("Job")
Result = TypeVar("Result")

_scratch = threading.local()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Pool:
    """The shared pool, and BLAS held at one thread while any job is under way."""

    def __init__(self) -> None:
        self.threads = _processors()
        self.executor = ThreadPoolExecutor(self.threads, "kernel")
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
    pool.threads, pool.executor = threads, ThreadPoolExecutor(threads, "kernel")


def parallel(function: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
    """function(job) for every job, on the pool, as an iterator over the results in the order of the jobs.

    Results are kept only until they are asked for, and few jobs run ahead, so that summing them needs bounded memory.
    """
    pool = _pool()
    threads, executor = pool.threads, pool.executor
    jobs = list(jobs)
    with pool.single_threaded_blas():
        if threads == 1 or len(jobs) == 1:
            yield from map(function, jobs)
            return
        waiting = [executor.submit(function, job) for job in jobs[:threads + 1]]
        submitted = len(waiting)
        while waiting:
            result = waiting.pop(0).result()
            if submitted < len(jobs):
                waiting.append(executor.submit(function, jobs[submitted]))
                submitted += 1
            yield result


def run(function: Callable[[Job], object], jobs: Iterable[Job]) -> None:
    """function(job) for every job, on the pool, for its effects."""
    for _ in parallel(function, jobs):
        pass


def scratch(name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Work space of this thread, not initialized, used again by the next job that asks under the same name."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    held = _scratch.__dict__.get(name)
    if held is None or held.size < size:
        held = _scratch.__dict__[name] = np.empty(size, np.uint8)
    return held[:size].view(dtype).reshape(shape)


def blocks(total: int, block: int) -> list[slice]:
    """0..total cut into slices of `block`, the last one shorter."""
    return [slice(start, min(start + block, total)) for start in range(0, total, block)]
