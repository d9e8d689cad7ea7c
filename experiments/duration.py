"""How long a run will take on this machine, from small samples of each of its parts; and how long it took.

Parts, in seconds by name: "preparing" what the cache lacks, "detecting" the lesions of a decomposition, "training",
"evaluating" while training goes on and at its end, "report". Each is measured for a moment when it is asked for, on a
few images, one batch, one small figure, and scaled to the numbers of the run: an estimate, which other work on the
machine makes wrong. Not counted: reading a data set's tables and headers, and the confounders of real data.
"""
from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter

import numpy as np

from engine.checkpoint import to_numpy
from engine.layer import Layer, Run
from engine.optimizers import Adam
from experiments.augmentation import augment
from experiments.configuration import TrainingConfiguration
from experiments.device import array_module
from experiments.prepared import CacheEntry
from experiments.progress import duration
from experiments.reporting.figures.style import new_figure, png, show_image
from models.predict import predict

Parts = Mapping[str, float]
SAMPLES = 3  # images that are prepared to know what one takes; they stay in the cache
FEW = 4  # images in a batch that is measured first
TEST = 0.2  # of the images, as `splitting.split` has it


def preparing(missing: Sequence[CacheEntry], workers: int) -> float:
    """Of those images: a few of them are prepared, and `workers` processes make the others."""
    if not missing:
        return 0.0
    chosen = [missing[place] for place in np.linspace(0, len(missing) - 1, min(SAMPLES, len(missing))).astype(int)]
    taken = median([_seconds(entry.build) for entry in chosen])
    return taken * (len(missing) - len(chosen)) / min(workers, os.cpu_count() or 1)


def seconds_per_step(network: Layer, configuration: TrainingConfiguration, device: str, in_channels: int = 1) -> float:
    """Of a training step: the batch is made, goes forward and backward, and Adam steps, by nothing.

    On images of noise: a whole batch, or where that takes long a few of them, scaled to the batch. Passes are pure and
    a learning rate of 0 changes no parameter: the network is as it was.
    """
    xp, optimizer = array_module(device), Adam(network.parameters())

    def measured(images: int) -> float:
        noise = _noise(images, configuration.side, in_channels)

        def step() -> None:
            augment(noise, None, np.random.default_rng(0), configuration.rotation)
            y, saved = network.forward(xp.asarray(noise), Run())
            gradients = network.backward(y, saved)[1]
            optimizer.step(gradients, 0.0)
            to_numpy(y)

        return _seconds(step) * configuration.batch / images

    few = min(FEW, configuration.batch)
    measured(few)  # touches memory for the first time
    estimate = measured(few)
    return estimate if estimate > 2 else measured(configuration.batch)


def seconds_per_image(network: Layer, side: int, device: str, in_channels: int = 1) -> float:
    """Of inference, on images of noise."""
    x = array_module(device).asarray(_noise(4 * FEW, side, in_channels))
    return min(_seconds(lambda: to_numpy(predict(network, x)[0])) for _ in range(2)) / len(x)


def seconds_per_panel() -> float:
    """Of a report's figures, by one of two panels."""
    def draw() -> None:
        figure = new_figure(6, 3)
        for axes in figure.subplots(1, 2):
            show_image(axes, _noise(1, 64, 1)[0, ..., 0])
            axes.set_title("panel")
        png(figure)

    return min(_seconds(draw) for _ in range(2)) / 2


def evaluations(total: int, done: int, every: int) -> int:
    """While steps `done` + 1 to `total` are made: every so many, and at the end."""
    return sum(1 for step in range(done + 1, total + 1) if step % every == 0 or step == total)


def together(parts: Iterable[Parts]) -> dict[str, float]:
    """The sums by name, in the order in which the names come."""
    total: Counter[str] = Counter()
    for each in parts:
        total.update(each)
    return dict(total)


def sentence(parts: Parts) -> str:
    """For the terminal: the sum, what it is made of, and what it is worth."""
    shown = ", ".join(f"{name} {duration(seconds)}" for name, seconds in parts.items() if seconds >= 0.5)
    return (f"expected {duration(sum(parts.values()))} in all on this machine"
            f"{f' ({shown})' if shown else ''}, measured just now on small samples")


@contextmanager
def timed(took: dict[str, float], part: str) -> Iterator[None]:
    """Adds the seconds that the body takes to `part`."""
    started = perf_counter()
    try:
        yield
    finally:
        took[part] = took.get(part, 0.0) + perf_counter() - started


def _noise(images: int, side: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).random((images, side, side, channels), np.float32)


def _seconds(function: Callable[[], object]) -> float:
    started = perf_counter()
    function()
    return perf_counter() - started
