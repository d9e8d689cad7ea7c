"""How long a training will take."""
from __future__ import annotations

import time

import numpy as np

from engine.checkpoint import to_numpy
from engine.layer import Layer, Run
from experiments.configuration import TrainingConfiguration
from experiments.device import array_module


def seconds_per_step(network: Layer, configuration: TrainingConfiguration, device: str, in_channels: int = 1) -> float:
    """Measured on images of noise: a whole batch, or where that takes long a few of them, scaled to the batch.

    Passes are pure: the network is as it was.
    """
    xp = array_module(device)

    def measured(images: int) -> float:
        shape = (images, configuration.side, configuration.side, in_channels)
        x = xp.asarray(np.random.default_rng(0).random(shape, np.float32))
        started = time.perf_counter()
        y, saved = network.forward(x, Run())
        network.backward(y, saved)
        to_numpy(y)
        return (time.perf_counter() - started) * configuration.batch / images

    few = min(4, configuration.batch)
    measured(few)  # touches memory for the first time
    estimate = measured(few)
    return estimate if estimate > 2 else measured(configuration.batch)
