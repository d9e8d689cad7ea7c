"""The steps of a training: of one process, or of several ranks that each make their rows of every batch."""
from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from engine.layer import Layer
from engine.losses import Loss
from engine.observing import Observer
from engine.optimizers import Optimizer
from engine.reduction import Ranks, rows_of
from engine.training import NotFinite, Step, train
from experiments.configuration.streams import DROPOUT
from experiments.configuration.training import TrainingConfiguration
from experiments.inputs.batches import Batch, prefetch
from experiments.system.agreement import Agreement, StoppableRanks
from experiments.system.device import uploading, within_memory
from experiments.system.ranks import ProcessRanks


class BatchSource(Protocol):
    """The batches of a training, by the numbers of their steps; on several ranks, some of their rows."""

    def __call__(self, step: int, /) -> Batch: ...
    def rows(self, step: int, rows: slice, /) -> Batch: ...


@dataclass(frozen=True, slots=True)
class Training:
    """All that its steps are made of; can be pickled, as one, so that the optimizer's arrays stay the network's.

    steps after `done` up to `total`; first: as in `fitting.fit`.
    """
    network: Layer
    loss: Loss
    optimizer: Optimizer
    batches: BatchSource
    configuration: TrainingConfiguration
    first: int
    done: int
    total: int

    def alone(self, observer: Observer | None) -> Generator[Step, None, None]:
        ready = prefetch(uploading(self.network, self.batches), self.done + 1, self.total + 1)
        try:
            yield from self._steps(ready, observer, None)
        finally:
            ready.close()

    def together(self, agreement: Agreement, observer: Observer | None = None) -> Generator[Step, None, None]:
        """Each rank reads and moves its own rows of a batch alone."""
        ranks, batches = agreement.ranks, self.batches
        mine = rows_of(self.configuration.batch, ranks.rank, ranks.size)
        ready = prefetch(uploading(self.network, lambda step: batches.rows(step, mine)), self.done + 1, self.total + 1)
        try:
            yield from self._steps(agreement.batches(ready), observer, ranks)
        finally:
            ready.close()

    def _steps(self, ready: Iterator[tuple[int, Batch]], observer: Observer | None, ranks: Ranks | None
               ) -> Generator[Step, None, None]:
        configuration = self.configuration
        yield from within_memory(
            train(self.network, self.loss, self.optimizer, ready, lambda step: configuration.rate(step - self.first),
                  (configuration.drawn_by, DROPOUT), observer, ranks), configuration.batch, configuration.recompute)


@contextmanager
def steps_of(training: Training, ranks: ProcessRanks | None, observer: Observer | None = None
             ) -> Iterator[Iterator[Step]]:
    """The steps, made here or by all ranks, for the one process that watches, evaluates and writes between them.

    observer: as of `train`, of the steps on this process.
    """
    if ranks is None:
        steps = training.alone(observer)
        try:
            yield steps
        finally:
            steps.close()
        return
    ranks.call(take_part, training)
    agreement = Agreement(ranks)
    try:
        with agreement.steps(training.together(agreement, observer)) as made:
            yield made
    except NotFinite:
        ranks.engaged = False
        raise
    finally:
        ranks.engaged = ranks.engaged and not agreement.over


def take_part(ranks: StoppableRanks, training: Training) -> None:
    """Another rank's part in the steps: what ends them is told by rank 0."""
    agreement = Agreement(ranks)
    try:
        for _ in training.together(agreement):
            agreement.due = True
    except NotFinite:
        return
    except Exception:
        if not agreement.over:
            raise
