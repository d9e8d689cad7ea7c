"""Training batches: class-balanced, a function of (seed, step), prepared ahead in the background."""
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from experiments.augmentation import augment
from experiments.datasets import CLASSES
from experiments.errors import UsageError
from experiments.prepared import PreparedSet

Batch = tuple[np.ndarray, np.ndarray]


def class_balanced_indices(labels: np.ndarray, batch: int, generator: np.random.Generator) -> np.ndarray:
    """(batch,) indices into labels (N,): a class with equal probability among those present, then one of its images."""
    members = [np.flatnonzero(labels == index) for index in np.unique(labels)]
    chosen = generator.integers(len(members), size=batch)
    return np.array([generator.choice(members[index]) for index in chosen])


def one_hot(labels: np.ndarray) -> np.ndarray:
    """(N,) class indices -> (N, 3) float32."""
    return np.eye(len(CLASSES), dtype=np.float32)[labels]


@dataclass(frozen=True)
class Batches:
    """`batches(step)` -> x (batch, side, side, 1) float32 in [0, 1], y (batch, 3) float32 one-hot.

    Drawn class-balanced from the training indices and augmented, all of it a function of (seed, step).
    Raises `UsageError` where the batch is larger than the training set.
    """

    prepared: PreparedSet
    training: np.ndarray
    batch: int
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= len(self.training):
            raise UsageError(f"batch {self.batch}: the training set has {len(self.training)} images; a batch takes at "
                             "least one and at most all of them")

    def __call__(self, step: int) -> Batch:
        generator = np.random.default_rng((self.seed, step))
        labels = self.prepared.labels[self.training]
        chosen = class_balanced_indices(labels, self.batch, generator)
        images, _ = augment(self.prepared.images(self.training[chosen]), None, generator)
        return images, one_hot(labels[chosen])


def prefetch(batches: Callable[[int], Batch], start: int, stop: int, ahead: int = 2) -> Iterator[tuple[int, Batch]]:
    """(step, batches(step)) for start <= step < stop, while a thread prepares up to `ahead` batches more.

    An exception of `batches` is raised here, at its step. Closing the generator ends the thread.
    """
    ready: queue.Queue[tuple[int, Batch | None, BaseException | None]] = queue.Queue()
    free = threading.Semaphore(ahead + 1)  # the batch in use, and those ahead of it
    closed = threading.Event()

    def work() -> None:
        for step in range(start, stop):
            free.acquire()
            if closed.is_set():
                return
            try:
                ready.put((step, batches(step), None))
            except BaseException as error:  # whatever it is, it belongs to the thread that waits for the batch
                ready.put((step, None, error))
                return

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        for _ in range(start, stop):
            step, batch, error = ready.get()
            if error is not None:
                raise error
            assert batch is not None
            yield step, batch
            free.release()
    finally:
        closed.set()
        free.release()
        thread.join()
