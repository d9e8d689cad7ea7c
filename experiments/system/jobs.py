"""Several trainings at a time through a concurrent.futures executor: this machine's processes, or a Dask cluster."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from typing import Protocol, TypeVar

from experiments.system.cluster import connected
from experiments.system.errors import Failure, UsageError
from experiments.system.pickled import PicklingExecutor
from experiments.system.processes import Processes, threads_each
from experiments.system.progress import bar
from experiments.system.system_errors import explain_system_error

POLL = 1.0  # seconds between two looks at how far the trainings are


class Job(Protocol):
    def steps_done(self) -> int: ...


AnyJob = TypeVar("AnyJob", bound=Job)


@contextmanager
def open_executor(workers: int, scheduler: str | None) -> Iterator[Executor]:
    """`workers` processes that share this machine's processors, or the cluster of the Dask scheduler at that address.

    Both pickle a call in the thread that submits it.
    Raises UsageError where Dask is not installed or no scheduler answers.
    """
    if scheduler is None:
        with Processes(workers, threads_each(workers)) as processes:
            yield processes
        return
    # not pure: a call that failed is made again, if asked for
    with connected(scheduler) as client, client.get_executor(pure=False) as cluster:
        yield PicklingExecutor(cluster)


def run_jobs(jobs: Mapping[str, AnyJob], work: Callable[[AnyJob], None], executor: Executor, steps: int) -> None:
    """work(job) for every job, with one progress display: steps made by all of them, and the time left.

    jobs: by name, each of `steps` steps. One that fails is reported and tried once more, from its last checkpoint; the
    others go on. Raises Failure, when all others are finished, where one failed twice.
    """
    waiting: dict[Future, str] = {}
    failed: dict[str, BaseException] = {}
    again: set[str] = set()
    made = {name: job.steps_done() for name, job in jobs.items()}
    try:
        with bar(steps * len(jobs), f"{len(jobs)} trainings", "step", initial=sum(made.values())) as shown:
            waiting |= {executor.submit(work, job): name for name, job in jobs.items()}
            while waiting:
                done, _ = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
                for future in done:
                    name = waiting.pop(future)
                    error = _error(future)
                    if error is None:
                        continue
                    if name in again:
                        failed[name] = error
                        shown.write(f"{name} failed again: {explain(error)}")
                    else:
                        again.add(name)
                        shown.write(f"{name} failed, and is tried once more: {explain(error)}")
                        waiting[executor.submit(work, jobs[name])] = name
                made = {name: job.steps_done() for name, job in jobs.items()}
                shown.update(sum(made.values()) - shown.n)
                finished = len(jobs) - len(set(waiting.values())) - len(failed)
                shown.set_postfix_str(f"{finished} of {len(jobs)} finished"
                                    + (f", failed: {', '.join(failed)}" if failed else ""))
    except BaseException:
        for future in waiting:
            future.cancel()
        raise
    if failed:
        reasons = "; ".join(f"{name} failed twice: {explain(error)}" for name, error in failed.items())
        raise Failure(f"{reasons}. The other {len(jobs) - len(failed)} are finished and kept; when the cause is "
                      "mended, --resume trains only what is missing")


def explain(error: BaseException) -> str:
    """In the words of the person who can mend it, where we have such words."""
    if isinstance(error, Failure | UsageError):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return explain_system_error(error)
    if isinstance(error, MemoryError):
        return "out of memory; fewer --workers or a smaller --batch need less"
    if isinstance(error, BrokenExecutor):
        return ("its process was killed. The system does that when memory runs out: fewer --workers or a smaller "
                "--batch need less")
    return f"{type(error).__name__}: {error}"


def _error(future: Future) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as error:
        return error
