"""The ROI detectors of 4.3: U-nets that mark lesions, one for each size group of annotations and each loss."""
from __future__ import annotations

import numpy as np

from engine.checkpoint import to_numpy
from engine.layer import Layer
from engine.losses import Loss, dice, from_logits, sensitivity_specificity
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.streams import WEIGHTS
from experiments.runs.memory import images_at_once
from experiments.system.device import beside
from models.predict import predict
from models.unet import unet

LOSS_FUNCTIONS: dict[str, Loss] = {"dice": dice, "ss": sensitivity_specificity}
ON_LOGITS: dict[str, Loss] = {name: from_logits(loss) for name, loss in LOSS_FUNCTIONS.items()}


def build(configuration: DetectorConfiguration, rng: np.random.Generator | None = None) -> Layer:
    """The U-net of A.3.2 with initial weights that are a function of the seed, or drawn from `rng`."""
    return unet(1, configuration.channels, configuration.depth, configuration.statistics, configuration.bias,
                rng=rng or np.random.default_rng((configuration.drawn_by, WEIGHTS)), recompute=configuration.recompute)


def probabilities(network: Layer, images: np.ndarray) -> np.ndarray:
    """(n, side, side, 1) float32: the network's outputs for images (n, side, side, 1), some of them at a time."""
    batch = images_at_once(images.shape[1])
    return np.concatenate([to_numpy(predict(network, beside(network, images[start:start + batch]))[0])
                           for start in range(0, len(images), batch)])


def masks(network: Layer, images: np.ndarray, threshold: float) -> np.ndarray:
    """(n, side, side, 1) bool, True where the network's output for images (n, side, side, 1) is above the threshold."""
    return probabilities(network, images) > threshold


def detector_name(group: str, loss: str) -> str:
    """Of a detector and its folder inside a run's: P0-dice."""
    return f"{group}-{loss}"
