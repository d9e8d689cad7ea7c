"""Which workers may train for a run: those of the command that claimed it last. Others stop at their next step.

The command that is interrupted gives up its claim, so that its workers, on this machine or on a cluster, stop; one that
was killed cannot do that, but the command that resumes its run claims the folder anew. The command itself holds the
lock of the run's folder (lock.py) and cannot hand it to its workers; each of them holds that of its own folder.
"""
from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Protocol, TypeVar

from experiments.runs.folder import RunFolder
from experiments.system.errors import Failure
from experiments.system.files import write_text
from experiments.system.lock import locked

WAIT = 600.0  # seconds that a worker whose command was killed may take to come to its next step


@dataclass(frozen=True, slots=True)
class Claim:
    """path: the file that names the owner of the run in its folder; token: the name of this one."""
    path: Path
    token: str

    def check(self) -> None:
        """Raises Failure where the claim is no longer good."""
        try:
            owner = self.path.read_text(encoding="utf-8")
        except OSError:
            raise Failure(f"the run in {self.path.parent} was given up by the command that trains it, or its folder is "
                          "not to be seen from this machine (workers elsewhere need it at the same path)") from None
        if owner != self.token:
            raise Failure(f"the run in {self.path.parent} was taken over by another command; this one stops")


@contextmanager
def claimed(run: Path) -> Iterator[Claim]:
    """The run's folder belongs to the caller, until somebody else claims it or the context ends."""
    claim = Claim(run.resolve() / "owner", secrets.token_hex(16))
    write_text(claim.path, claim.token)
    try:
        yield claim
    finally:
        if claim.path.exists() and claim.path.read_text(encoding="utf-8") == claim.token:
            claim.path.unlink()


class Task(Protocol):
    """What a worker does for a run: its claim, and the folder of its own that it writes to."""
    @property
    def claim(self) -> Claim: ...
    @property
    def folder(self) -> RunFolder: ...


AnyTask = TypeVar("AnyTask", bound=Task)


def alone(work: Callable[[AnyTask], None]) -> Callable[[AnyTask], None]:
    """work(task), while no other process works in the task's folder.

    A worker of a command that was killed may be in the middle of a step: it is waited for. Raises Failure where the
    claim is no longer good.
    """
    @wraps(work)
    def within(task: AnyTask) -> None:
        task.claim.check()  # first: where the run's folder is not to be seen, none is made
        with locked(task.folder.path, WAIT):
            work(task)

    return within
