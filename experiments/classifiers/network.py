"""The VGG classifier of 4.2: built and applied as a configuration says."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.arrays import Array
from engine.checkpoint import to_numpy
from engine.layer import Layer, Run
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.streams import WEIGHTS
from experiments.inputs.image_set import ImageSet
from experiments.runs.memory import images_at_once
from experiments.system.device import beside
from experiments.system.errors import Failure
from experiments.system.progress import over
from models.predict import predict
from models.vgg import features, vgg


def build(configuration: ClassifierConfiguration, rng: np.random.Generator | None = None) -> Layer:
    """The VGG of A.3.1 with initial weights that are a function of the seed, or drawn from `rng`."""
    return vgg(configuration.side, configuration.channels, configuration.classes, configuration.width,
               configuration.keep_probability, configuration.statistics, configuration.bias,
               rng=rng or np.random.default_rng((configuration.drawn_by, WEIGHTS)), recompute=configuration.recompute)


def probabilities(network: Layer, prepared: ImageSet, indices: Sequence[int] | np.ndarray, progress: bool = False
                  ) -> np.ndarray:
    """(n, C): the network's sigmoid outputs for the images at `indices`, some of them in memory at a time."""
    return _in_batches(network, lambda x: predict(network, x)[0], prepared, indices, "Evaluating" if progress else None)


def features_of(network: Layer, prepared: ImageSet, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n, F): what the network's last layer takes in inference, see `vgg.features`. Raises Failure where that is not
    finite for some images."""
    before = features(network)
    found = _in_batches(network, lambda x: before.forward(x, Run(train=False, record=False))[0], prepared, indices,
                        "Features")
    if not np.isfinite(found).all():
        bad = int(np.count_nonzero(~np.isfinite(found).all(axis=1)))
        raise Failure(f"The network's features are not finite numbers for {bad} of {len(found)} images; its parameters "
                      "are not usable. Train again, with a smaller learning rate")
    return found


def _in_batches(network: Layer, function: Callable[[Array], Array], prepared: ImageSet,
                indices: Sequence[int] | np.ndarray, shown: str | None) -> np.ndarray:
    """The function's values for the images at `indices`, which it gets beside the network. shown: on the bar."""
    batch = images_at_once(prepared.images(indices[:1]).shape[1])
    starts = range(0, len(indices), batch)
    return np.concatenate([to_numpy(function(beside(network, prepared.images(indices[start:start + batch]))))
                           for start in (starts if shown is None else over(starts, shown, "batch", leave=False))])
