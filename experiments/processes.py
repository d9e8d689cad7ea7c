"""Worker processes that end with the command that started them: for work on many files, and for calls kept apart."""
from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from engine.kernels.cpu import keep_freed_memory, use_threads
from experiments.errors import Failure

Item = TypeVar("Item")
Result = TypeVar("Result")


def end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def in_processes(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """The results in the items' order, computed by `workers` processes, or here where one does.

    function and items can be pickled. What the function raises is raised here, and what has not begun is given up;
    `Failure` where a process was killed.
    """
    if workers <= 1 or len(items) < 2 * workers:
        yield from map(function, items)
        return
    # spawned, not forked: the caller may run threads or hold a GPU
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=end_with_parent) as pool:
        try:
            yield from pool.map(function, items, chunksize=4)
        except BrokenProcessPool as error:
            raise Failure("a worker process was killed, for lack of memory perhaps: try fewer --workers. What was done "
                          "until then is kept") from error
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


class Processes(ThreadPoolExecutor):
    """An executor of separate processes: one that is killed takes no call with it but its own.

    workers: processes at a time; threads: of the engine in each. Processes are spawned, not forked: the caller may run
    threads or hold a GPU. Ctrl-C does not reach them; who submits a call must have another way to end it early.
    """

    def __init__(self, workers: int, threads: int) -> None:
        super().__init__(workers, "processes")  # each thread waits for a process of its own
        self.threads = threads
        self.local = threading.local()
        self.pools: list[ProcessPoolExecutor] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future:
        return super().submit(self._apart, function, *arguments, **named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        for pool in self.pools:
            pool.shutdown(wait)

    def _apart(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        pool = getattr(self.local, "pool", None)
        if pool is None:
            pool = self.local.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"),
                                                         initializer=_begin_worker, initargs=(self.threads,))
            self.pools.append(pool)
        try:
            return pool.submit(function, *arguments, **named).result()
        except BrokenExecutor:
            self.local.pool = None
            raise


def _begin_worker(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", RuntimeWarning)  # as in `run_command`
    end_with_parent()
    keep_freed_memory()
    use_threads(threads)
