"""The VGG classifier of 4.2: built, trained and applied as a configuration says."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.checkpoint import to_numpy
from engine.layer import Layer
from engine.losses import binary_cross_entropy_with_logits
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.streams import WEIGHTS
from experiments.inputs.batches import Batches
from experiments.inputs.image_set import ImageSet
from experiments.runs import fitting
from experiments.runs.folder import RunFolder
from experiments.system.device import array_module
from experiments.system.progress import over
from models.predict import predict
from models.vgg import vgg


def build(configuration: ClassifierConfiguration, in_channels: int = 1, rng: Any = None) -> Layer:
    """The VGG of A.3.1 with initial weights that are a function of the seed, or drawn from `rng`."""
    return vgg(configuration.side, in_channels, configuration.classes, configuration.width,
               configuration.keep_probability, configuration.statistics, configuration.bias,
               rng=rng or np.random.default_rng((configuration.drawn_by, WEIGHTS)))


def fit(network: Layer, batches: Batches, configuration: ClassifierConfiguration, folder: RunFolder, device: str,
        evaluate: Callable[[], dict[str, float]], first: int = 0, trained_on: dict[str, Any] | None = None) -> None:
    """Train on class-balanced batches by the cross entropy of the sigmoid outputs; `fitting.fit` says the rest."""
    fitting.fit(network, binary_cross_entropy_with_logits, batches, configuration, folder, device,
                lambda step: evaluate(), first=first, trained_on=trained_on)


def probabilities(network: Layer, prepared: ImageSet, indices: Sequence[int] | np.ndarray, device: str,
                  batch: int = 50, progress: bool = False) -> np.ndarray:
    """(n, C): the network's sigmoid outputs for the images at `indices`, a batch of them in memory at a time."""
    xp = array_module(device)
    starts = range(0, len(indices), batch)
    return np.concatenate([to_numpy(predict(network, xp.asarray(prepared.images(indices[start:start + batch])))[0])
                           for start in (over(starts, "Evaluating", "batch", leave=False) if progress else starts)])
