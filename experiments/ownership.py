"""Who may write into a run's folder: whoever claimed it last. Workers that were left behind stop at their next step.

The command that is interrupted gives up its claim, so that its workers, on this machine or on a cluster, stop; one that
was killed cannot do that, but the command that resumes its run claims the folder anew.
"""
from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import Failure
from experiments.reporting.files import write_text


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
