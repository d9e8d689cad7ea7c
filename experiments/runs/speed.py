"""How fast a network is on this machine: measured for a moment when it is asked for, on a few images or one batch.

Scaled to the numbers of a run that is an estimate, which other work on the machine makes wrong.
"""
from __future__ import annotations

import numpy as np

from engine.checkpoint import to_numpy
from engine.layer import Layer, Run
from engine.optimizers import Adam
from experiments.configuration.training import TrainingConfiguration
from experiments.inputs.augmentation import augment
from experiments.runs.memory import images_at_once
from experiments.system.device import beside
from experiments.system.durations import seconds_of
from models.predict import predict

FEW = 4  # images in a batch that is measured first
TEST = 0.2  # of the images, as `splitting.split` has it


def seconds_per_step(network: Layer, configuration: TrainingConfiguration, in_channels: int = 1, ranks: int = 1
                     ) -> float:
    """Of a training step: the batch is made, goes forward and backward, and Adam steps, by nothing.

    On images of noise: a whole batch, or where that takes long a few of them, scaled to the batch. Of several ranks
    the largest part of a batch, without what they send each other. Passes are pure and
    a learning rate of 0 changes no parameter: the network is as it was.
    """
    optimizer = Adam(network.parameters())
    batch = -(-configuration.batch // ranks)

    def measured(images: int) -> float:
        noise = _noise(images, configuration.side, in_channels)

        def step() -> None:
            augment(noise, None, np.random.default_rng(0), configuration.rotation)
            y, saved = network.forward(beside(network, noise), Run())
            gradients = network.last_gradients(y, saved)
            optimizer.step(gradients, 0.0)
            to_numpy(y)

        return seconds_of(step) * batch / images

    few = min(FEW, batch)
    measured(few)  # touches memory for the first time
    estimate = measured(few)
    return estimate if estimate > 2 else measured(batch)


def seconds_per_image(network: Layer, side: int, in_channels: int = 1) -> float:
    """Of inference, on images of noise."""
    x = beside(network, _noise(min(4 * FEW, images_at_once(side)), side, in_channels))
    return min(seconds_of(lambda: to_numpy(predict(network, x)[0])) for _ in range(2)) / len(x)


def evaluations(total: int, done: int, every: int) -> int:
    """While steps `done` + 1 to `total` are made: every so many, and at the end."""
    return sum(1 for step in range(done + 1, total + 1) if step % every == 0 or step == total)


def _noise(images: int, side: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).random((images, side, side, channels), np.float32)
