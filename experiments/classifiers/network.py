"""The VGG classifier of 4.2: built and applied as a configuration says."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.checkpoint import to_numpy
from engine.layer import Layer
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.streams import WEIGHTS
from experiments.inputs.image_set import ImageSet
from experiments.runs.memory import images_at_once
from experiments.system.device import beside
from experiments.system.progress import over
from models.predict import predict
from models.vgg import vgg


def build(configuration: ClassifierConfiguration, rng: np.random.Generator | None = None) -> Layer:
    """The VGG of A.3.1 with initial weights that are a function of the seed, or drawn from `rng`."""
    return vgg(configuration.side, configuration.channels, configuration.classes, configuration.width,
               configuration.keep_probability, configuration.statistics, configuration.bias,
               rng=rng or np.random.default_rng((configuration.drawn_by, WEIGHTS)), recompute=configuration.recompute)


def probabilities(network: Layer, prepared: ImageSet, indices: Sequence[int] | np.ndarray, progress: bool = False
                  ) -> np.ndarray:
    """(n, C): the network's sigmoid outputs for the images at `indices`, some of them in memory at a time."""
    batch = images_at_once(prepared.images(indices[:1]).shape[1])
    starts = range(0, len(indices), batch)
    return np.concatenate([
        to_numpy(predict(network, beside(network, prepared.images(indices[start:start + batch])))[0])
        for start in (over(starts, "Evaluating", "batch", leave=False) if progress else starts)])
