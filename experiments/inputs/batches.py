"""Training batches: drawn at random, a function of (seed, step), prepared ahead in the background."""
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from experiments.configuration.streams import BATCHES
from experiments.inputs.augmentation import Motions, draw, move
from experiments.inputs.image_set import ImageSet, PreparedSet
from experiments.system.errors import UsageError

Batch = tuple[np.ndarray, np.ndarray]
ALL = slice(None)
T = TypeVar("T")


def class_balanced_indices(labels: np.ndarray, batch: int, generator: np.random.Generator) -> np.ndarray:
    """(batch,) indices into labels (N,): a class with equal probability among those present, then one of its images."""
    members = [np.flatnonzero(labels == index) for index in np.unique(labels)]
    chosen = generator.integers(len(members), size=batch)
    return np.array([generator.choice(members[index]) for index in chosen])


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """(N,) class indices -> (N, classes) float32."""
    return np.eye(classes, dtype=np.float32)[labels]


@dataclass(frozen=True, slots=True)
class Batches:
    """`batches(step)` -> x (batch, side, side, channels) float32 as the set has them, y (batch, C) float32 one-hot.

    Drawn class-balanced from the training indices, flipped and rotated by up to max_degrees at random, all of it a
    function of (seed, step). `batches.rows(step, rows)` are some rows of that: only those are read and moved.
    Raises `UsageError` where the batch is larger than the training set.
    """

    prepared: ImageSet
    training: np.ndarray
    batch: int
    seed: int
    max_degrees: float = 5

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= len(self.training):
            raise UsageError(f"batch {self.batch}: the training set has {len(self.training)} images; a batch takes at "
                             "least one and at most all of them")

    def __call__(self, step: int) -> Batch:
        return self.rows(step, ALL)

    def rows(self, step: int, rows: slice) -> Batch:
        generator = np.random.default_rng((self.seed, BATCHES, step))
        labels = self.prepared.labels[self.training]
        chosen = class_balanced_indices(labels, self.batch, generator)
        motions = draw(self.batch, generator, self.max_degrees).of(rows)
        chosen = chosen[rows]
        return self.moved(self.training[chosen], motions), one_hot(labels[chosen], len(self.prepared.classes))

    def moved(self, indices: np.ndarray, motions: Motions) -> np.ndarray:
        return move(self.prepared.images(indices), None, motions)[0]


@dataclass(frozen=True, slots=True)
class MaskBatches:
    """`batches(step)` -> x and y, both (batch, side, side, 1) float32: images in [0, 1]; masks, 1 on the lesions.

    Drawn from the training indices, each as likely as any other, whatever its class; flipped and rotated with their
    masks by up to max_degrees at random, all of it a function of (seed, step). `rows` as of `Batches`.
    """

    prepared: PreparedSet
    training: np.ndarray
    batch: int
    seed: int
    max_degrees: float = 5

    def __call__(self, step: int) -> Batch:
        return self.rows(step, ALL)

    def rows(self, step: int, rows: slice) -> Batch:
        generator = np.random.default_rng((self.seed, BATCHES, step))
        chosen = self.training[generator.integers(len(self.training), size=self.batch)]
        motions = draw(self.batch, generator, self.max_degrees).of(rows)
        images, masks = move(*self.prepared.images_and_masks(chosen[rows]), motions)
        assert masks is not None
        return images, masks


def prefetch(batches: Callable[[int], T], start: int, stop: int, ahead: int = 2
             ) -> Generator[tuple[int, T], None, None]:
    """(step, batches(step)) for start <= step < stop, while a thread prepares the `ahead` batches after it.

    An exception of `batches` is raised here, at its step. Closing the generator ends the thread.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
    try:
        waiting = deque(pool.submit(batches, step) for step in range(start, min(start + ahead, stop)))
        for step in range(start, stop):
            if step + ahead < stop:
                waiting.append(pool.submit(batches, step + ahead))
            yield step, waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
