"""Whether the ranks of a training go on: they agree before every step and after the last, so that all of them end.

Between two steps a rank that has met an error tells it, and the others, who come to the next agreement, end as well.
Within a step they wait for each other in sums of the network's: there nobody can be told, and all processes are ended.
"""
from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import numpy as np

from engine.reduction import Ranks
from engine.training import NotFinite, Step
from experiments.system.errors import Failure
from experiments.system.interruption import interruptions_held
from experiments.system.jobs import explain

T = TypeVar("T")


class StoppableRanks(Ranks, Protocol):
    """Ranks of which one can end all."""

    def abort(self, error: BaseException) -> None:
        """End all processes, with one message."""


class Agreement:
    """due: whether the others will come to an agreement before they wait for anything else of this rank."""

    def __init__(self, ranks: StoppableRanks) -> None:
        self.ranks, self.due, self.over = ranks, True, False

    def batches(self, batches: Iterator[T]) -> Generator[T, None, None]:
        """The batches, while all ranks have one. What prevents one of them is raised on all: here itself, elsewhere as
        a Failure in its words."""
        while True:
            more, error = [], None
            try:
                more = [next(batches)]
            except StopIteration:
                pass
            except Exception as caught:
                error = caught
            self.reach(error)
            if not more:
                self.over = True
                return
            self.due = False
            yield more.pop()

    def reach(self, error: BaseException | None) -> None:
        """Come to an agreement: raises the error, or on a rank that has none a Failure, if there is one."""
        said = b"" if error is None else _words(error, self.ranks).encode()
        lengths = np.zeros(self.ranks.size)
        lengths[self.ranks.rank] = len(said)
        lengths = self.ranks.sum(lengths)
        if not lengths.any():
            return
        self.over = True
        first = int(np.flatnonzero(lengths)[0])
        text = np.zeros(int(lengths[first]), np.uint8)
        if first == self.ranks.rank:
            text[:] = np.frombuffer(said, np.uint8)
        text = self.ranks.sum(text)  # all but one rank add zeros
        raise error or Failure(text.tobytes().decode())

    @contextmanager
    def steps(self, steps: Generator[Step, None, None]) -> Iterator[Iterator[Step]]:
        """The steps that are made of `batches`, for a caller whose own errors between them end all ranks.

        Ctrl-C comes when a step is made.
        """
        def made() -> Iterator[Step]:
            while True:
                with interruptions_held():
                    step = next(steps, None)
                    self.due = True  # in here, too: Ctrl-C comes at the end
                if step is None:
                    return
                yield step

        try:
            yield made()
        except BaseException as error:
            if not self.over and not isinstance(error, NotFinite):  # that one all ranks have found
                if not self.due:
                    self.ranks.abort(error)
                    raise
                self.reach(error)
            raise
        finally:
            steps.close()


def _words(error: BaseException, ranks: Ranks) -> str:
    return f"on rank {ranks.rank} of {ranks.size}: {explain(error)}"
