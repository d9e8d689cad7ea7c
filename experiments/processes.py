"""Worker processes that end with the command that started them, and an executor that keeps them apart."""
from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from engine.kernels.cpu.threads import use_threads


def end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Processes(ThreadPoolExecutor):
    """An executor that makes each call in a new process: one that is killed takes no other call with it.

    workers: processes at a time; threads: of the engine in each. Processes are spawned, not forked: the caller may run
    threads or hold a GPU. Ctrl-C does not reach them; who submits a call must have another way to end it early.
    """

    def __init__(self, workers: int, threads: int) -> None:
        super().__init__(workers, "processes")
        self.threads = threads

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future:
        return super().submit(self._apart, function, *arguments, **named)

    def _apart(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context, initializer=_begin_worker, initargs=(self.threads,)) as one:
            return one.submit(function, *arguments, **named).result()


def _begin_worker(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", RuntimeWarning)  # as in `run_command`
    end_with_parent()
    use_threads(threads)
