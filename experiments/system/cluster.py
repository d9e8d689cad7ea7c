"""Work on many files by the workers of a Dask cluster, which share a folder with the command that they work for."""
from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

from engine.files import PARTIAL
from experiments.system.errors import Failure, UsageError
from experiments.system.files import write_bytes
from experiments.system.pickled import call, pickled_call

CONNECT = 10  # seconds to wait for a scheduler, and for its first worker
ALONE = 60.0  # seconds without any worker, after which none is waited for
POLL = 1.0  # seconds between two looks at whether there are workers
AHEAD = 4  # calls submitted for each thread of the cluster, beyond which the results are waited for
PER_CALL = 8  # items at most, since a call costs the scheduler some 6 ms, however short the work

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """distributed's `Client` of the scheduler at that address, which need not be the default one of the process.

    Raises UsageError where Dask is not installed or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError('--scheduler needs Dask: pip install -e ".[dask]"') from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a lost connection is an error here, said once
    try:
        client = Client(scheduler, timeout=CONNECT, set_as_default=False, loop=_event_loop())
    except (OSError, ValueError) as error:
        raise UsageError(f"--scheduler {scheduler}: no Dask scheduler answers there ({error}); expected an address "
                         "like tcp://127.0.0.1:8786") from None
    with client:
        yield client


@cache
def _event_loop() -> Any:
    """This process's event loop for clients, in a thread that ends with the process.

    A client would start one of its own, and where a busy machine has not begun the thread within ten seconds that ends
    in a bare assertion; here it is waited for.
    """
    from tornado.ioloop import IOLoop

    running: Future[Any] = Future()

    async def run() -> None:
        running.set_result(IOLoop.current())
        await asyncio.Event().wait()

    Thread(target=lambda: asyncio.run(run()), name="event loop of Dask clients", daemon=True).start()
    return running.result()


def in_cluster(function: Callable[[Item], Result], items: Sequence[Item], scheduler: str, shared: Path
               ) -> Iterator[Result]:
    """The results in the items' order, computed by the cluster's workers, which see the folder `shared` at that path.

    What `in_processes` does with processes: function and items are pickled in this thread, several items to a call and
    some calls ahead of the work, so that the scheduler knows of a few at a time however many there are. A worker that
    dies takes no item with it: others make it, so function must bear being called twice. What it raises is raised here,
    of the first item in order that fails, and the rest is given up. Raises Failure where a worker does not see the
    folder or has not this project, an item kills every worker that takes it, or no worker is left; UsageError as
    `connected`.
    """
    if not items:
        return
    waiting: deque[Any] = deque()
    with connected(scheduler) as client, _mark(shared) as mark:
        _require_workers(client, scheduler)
        threads, started = _threads(client), 0
        size = min(PER_CALL, max(1, len(items) // (2 * threads)))  # few items are spread over all threads
        try:
            for start in range(0, len(items), size):
                content = pickled_call(_where_shared, mark, function, items[start:start + size])
                waiting.append(client.submit(call, content, pure=False))
                started += 1
                if started % (AHEAD * threads) == 0:  # a cluster may grow
                    threads = _threads(client)
                if len(waiting) >= AHEAD * threads:
                    yield from _result(client, waiting.popleft(), scheduler)
            while waiting:
                yield from _result(client, waiting.popleft(), scheduler)
        finally:
            if client.status == "running":
                client.cancel(list(waiting))


@contextmanager
def _mark(shared: Path) -> Iterator[Path]:
    """A file in the folder by which workers know it, with its own name in it."""
    mark = shared / f".{secrets.token_hex(8)}{PARTIAL}"
    write_bytes(mark, mark.name.encode())
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def _where_shared(mark: Path, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """On a worker."""
    try:
        seen = mark.read_bytes()
    except OSError:
        seen = b""
    if seen != mark.name.encode():
        raise Failure(f"--scheduler: the worker on {socket.gethostname()} does not see the folder {mark.parent}. It "
                      "must be one that this command and all workers share, at the same path, such as a network drive; "
                      "--cache names one")
    return [function(item) for item in items]


def _threads(client: Any) -> int:
    return max(1, sum(client.nthreads().values()))


def _require_workers(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError:
        raise Failure(f"--scheduler {scheduler}: it has no workers. Start some with: dask worker {scheduler}") from None


def _result(client: Any, future: Any, scheduler: str) -> Any:
    """Of the call, as soon as it is there."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    seen = monotonic()
    while True:
        try:
            return future.result(timeout=POLL)
        except TimeoutError as error:
            if future.done():
                return future.result()  # it may be the call's own error
            if client.status != "running":
                raise Failure(f"--scheduler {scheduler}: the scheduler is gone. What was done until then is kept") \
                    from error
            if client.nthreads():
                seen = monotonic()
            elif monotonic() - seen > ALONE:
                raise Failure(f"--scheduler {scheduler}: its workers are gone. What was done until then is kept; start "
                              "some, and give the same command again") from error
        except CancelledError as error:
            raise Failure(f"--scheduler {scheduler}: the connection to the scheduler was lost. What was done until "
                          "then is kept") from error
        except KilledWorker as error:
            raise Failure(f"--scheduler {scheduler}: {error.allowed_failures + 1} workers died of the same call, for "
                          "lack of memory perhaps. What was done until then is kept") from error
        except ModuleNotFoundError as error:
            raise Failure(f"--scheduler {scheduler}: a worker has not this project installed, or not all that it needs "
                          f"({error})") from error
