"""A classifier as its run left it: what it makes of an image, and what it is then asked."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from engine.layer import Layer
from experiments.classifier import build
from experiments.configuration import Configuration
from experiments.datasets.images import read_image
from experiments.decomposition_configuration import DecompositionConfiguration
from experiments.device import array_module
from experiments.errors import UsageError
from experiments.fixed_detectors import kept_detectors
from experiments.merging import Detectors, merge
from experiments.preprocessing import Preprocessing, preprocess
from experiments.recorded_configuration import recorded_configuration
from experiments.restoring import restored


@dataclass(frozen=True)
class TrainedClassifier:
    """network      the VGG, on its device; y: the logits
    configuration  it was trained with
    channels       of its input: 1, the mammogram; 2 after a decomposition or a retraining
    detectors      of a decomposition; the second channel of a retrained classifier is empty
    """

    network: Layer
    configuration: Configuration
    channels: int
    detectors: Detectors | None

    def prepare(self, path: Path) -> np.ndarray:
        """(1, side, side, 1) float32 in [0, 1]: the image file as in training. Raises Failure where it is of no use."""
        of = self.configuration
        preprocessing = Preprocessing(of.side, of.working_side, of.clip_limit)
        return preprocess(read_image(path, of.max_pixels), None, preprocessing, str(path)).image[None, :, :, None]

    def input(self, images: np.ndarray) -> np.ndarray:
        """(n, side, side, channels) float32, what the network takes, for prepared images (n, side, side, 1)."""
        if self.channels == 1:
            return images
        empty = np.zeros(images.shape[:3], np.uint8)
        return merge(images, empty if self.detectors is None else self.detectors.heat_map(images))


def load_classifier(path: Path, device: str) -> TrainedClassifier:
    """The classifier of a checkpoint that experiments/end2end.py, decomposition.py or retraining.py wrote.

    The detectors of a decomposition lie in the folder of its checkpoint. Raises UsageError where there is no such file,
    it holds no classifier, or the detectors are not beside it, and Failure where these are damaged.
    """
    try:
        checkpoint = load_checkpoint(path)
        channels = checkpoint.parameter("conv_1a.W", 4).shape[2]
        if channels not in (1, 2):
            raise CheckpointError(f"its images have {channels} channels, expected are 1, or 2 after a decomposition")
        configuration = _configuration(checkpoint, path)
        network = restored(checkpoint, lambda rng: build(configuration, channels, rng))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such checkpoint") from None
    except (CheckpointError, OSError) as error:
        raise UsageError(f"{path} is no checkpoint of experiments/end2end.py, decomposition.py or retraining.py: "
                         f"{error}") from error
    detectors = None
    if isinstance(configuration, DecompositionConfiguration):
        digest = checkpoint.trained_on.get("detectors")
        detectors = kept_detectors(path.parent, configuration.threshold, device, digest)
    network.convert(array_module(device).asarray)
    return TrainedClassifier(network, configuration, channels, detectors)


def _configuration(checkpoint: Checkpoint, path: Path) -> Configuration:
    kind = DecompositionConfiguration if "threshold" in checkpoint.configuration else Configuration
    return recorded_configuration(kind, checkpoint.configuration, path)
