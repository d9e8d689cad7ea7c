"""The same work on many files, in several processes."""
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from experiments.errors import Failure

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """The results in the items' order, computed by `workers` processes, or here where one does.

    function and items can be pickled. What the function raises is raised here, and what has not begun is given up;
    `Failure` where a process was killed.
    """
    if workers <= 1 or len(items) < 2 * workers:
        yield from map(function, items)
        return
    # spawned, not forked: the caller may run threads or hold a GPU
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent) as pool:
        try:
            yield from pool.map(function, items, chunksize=4)
        except BrokenProcessPool as error:
            raise Failure("a worker process was killed, for lack of memory perhaps: try fewer --workers. What was done "
                          "until then is kept") from error
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
