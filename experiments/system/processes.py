"""Worker processes that end with the command that started them: for work on many files, and for calls kept apart."""
from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from engine.kernels.cpu import keep_freed_memory, use_threads
from experiments.system.errors import Failure
from experiments.system.pickled import call, pickled_call

AHEAD = 4  # items pickled and submitted for each process, beyond which the results are waited for

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

    function and items can be pickled; they are in this thread, some items ahead of the work. What the function raises
    is raised here, and what has not begun is given up; `Failure` where a process was killed. Ctrl-C, and a caller who
    takes no more results, end the processes at once.
    """
    if workers <= 1 or len(items) < 2 * workers:
        yield from map(function, items)
        return
    waiting: deque[Future] = deque()
    with _process_pool(workers, threads_each(workers)) as pool:
        try:
            for item in items:
                with _interruptions_held():
                    waiting.append(pool.submit(call, pickled_call(function, item)))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise Failure("a worker process was killed, for lack of memory perhaps: try fewer --workers. What was done "
                          "until then is kept") from error
        except Exception:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        except BaseException:
            with _interruptions_held():
                _kill(pool)
                pool.shutdown(wait=True, cancel_futures=True)
            raise


class Processes(ThreadPoolExecutor):
    """An executor of separate processes: one that is killed takes no call with it but its own.

    workers: processes at a time; threads: of the engine in each. Processes are spawned, not forked: the caller may run
    threads or hold a GPU. A call is pickled once, in the thread that submits it. Ctrl-C does not reach the processes:
    the context that it ends kills them. So nothing may depend on a call's coming to its end.
    """

    def __init__(self, workers: int, threads: int) -> None:
        super().__init__(workers, "processes")  # each thread waits for a process of its own
        self.threads = threads
        self.local = threading.local()
        self.pools: list[ProcessPoolExecutor] = []
        self.given_up = False

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future:
        return super().submit(self._apart, pickled_call(function, *arguments, **named))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        for pool in self.pools:
            pool.shutdown(wait)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):
            self.shutdown()
            return
        with _interruptions_held():  # another one would leave processes behind, which the end of Python stumbles over
            self.given_up = True  # from here on a process that begins is killed by who began it
            for pool in self.pools:
                _kill(pool)
            self.shutdown(cancel_futures=True)

    def _apart(self, content: bytes) -> Any:
        pool = getattr(self.local, "pool", None)
        if pool is None:
            pool = self.local.pool = _process_pool(1, self.threads)
            self.pools.append(pool)
        try:
            with _interruptions_held():
                future = pool.submit(call, content)
            if self.given_up:
                _kill(pool)
            return future.result()
        except BrokenExecutor:
            self.local.pool = None
            raise


def threads_each(workers: int) -> int:
    """Threads of the engine in each of `workers` processes that share this machine's processors."""
    return max(1, (os.cpu_count() or 1) // workers)


def _kill(pool: ProcessPoolExecutor) -> None:
    """Its processes, at once; the pool is broken then. (From Python 3.14 on the pool has `kill_workers` for that.)"""
    for process in list((pool._processes or {}).values()):
        process.kill()


def _process_pool(workers: int, threads: int) -> ProcessPoolExecutor:
    # spawned, not forked: the caller may run threads or hold a GPU
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin_worker,
                               initargs=(threads,))


@contextmanager
def _interruptions_held() -> Iterator[None]:
    """Processes that are spawned in here never hear of Ctrl-C, not even while they begin: the parent ends their work.

    They inherit that the signal is blocked. To the parent it is delivered afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # multiprocessing starts it with the first process, and unblocks the signal then
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker(threads: int) -> None:
    warnings.simplefilter("ignore", RuntimeWarning)  # as in `run_command`
    end_with_parent()
    keep_freed_memory()
    use_threads(threads)
