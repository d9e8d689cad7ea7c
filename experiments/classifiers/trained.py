"""A classifier as its run left it: what it makes of an image, and what it is then asked."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import Checkpoint, CheckpointError, restore
from engine.layer import Layer
from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.datasets.images.reading import read_image
from experiments.detectors.heat_maps import Detectors
from experiments.detectors.kept import detectors_beside
from experiments.inputs.merged import merge
from experiments.inputs.preprocessing import Preprocessing, preprocess
from experiments.runs.checkpoints import described_wrongly, read_checkpoint, require_shapes
from experiments.runs.provenance import Provenance, provenance
from experiments.system.device import array_module
from experiments.system.errors import UsageError
from models.vgg import CHANNELS, FEATURES, scaled

EXPECTED = "experiments/end2end.py, decomposition.py or retraining.py"


@dataclass(frozen=True)
class TrainedClassifier:
    """network      the VGG, on its device; y: the logits
    configuration  it was trained with
    channels       of its input: 1, the mammogram; 2 after a decomposition or a retraining
    detectors      of a decomposition; the second channel of a retrained classifier is empty
    provenance     what it was trained on
    """

    network: Layer
    configuration: ClassifierConfiguration
    channels: int
    detectors: Detectors | None
    provenance: Provenance

    def prepare(self, path: Path, max_pixels: int | None = None) -> np.ndarray:
        """(1, side, side, 1) float32 in [0, 1]: the image file as in training. Raises Failure where it is of no use.

        max_pixels: of the largest image that is read; None: what the run allowed.
        """
        image = read_image(path, max_pixels or self.configuration.max_pixels)
        return preprocess(image, None, preprocessing(self.configuration), str(path)).image[None, :, :, None]

    def input(self, images: np.ndarray) -> np.ndarray:
        """(n, side, side, channels) float32, what the network takes, for prepared images (n, side, side, 1)."""
        if self.channels == 1:
            return images
        empty = np.zeros(images.shape[:3], np.uint8)
        return merge(images, empty if self.detectors is None else self.detectors.heat_map(images))


def preprocessing(of: ClassifierConfiguration) -> Preprocessing:
    return Preprocessing(of.side, of.working_side, of.clip_limit)


def load_classifier(path: Path, device: str, checkpoint: Checkpoint | None = None) -> TrainedClassifier:
    """The classifier of a checkpoint that experiments/end2end.py, decomposition.py or retraining.py wrote.

    checkpoint: what `path` holds, if it was read already. The detectors of a decomposition lie in the folder of its
    checkpoint. Raises UsageError where there is no such file, it holds no classifier, or the detectors are not beside
    it, and Failure where these or the network are damaged.
    """
    checkpoint = checkpoint or read_checkpoint(path)
    with described_wrongly(path, EXPECTED):
        configuration = _configuration(checkpoint)
        preprocessing(configuration)
        channels = _channels(checkpoint, configuration)
        network = build(configuration, channels)
        restore(checkpoint, network)
        origin = provenance(checkpoint, path)
    detectors = None
    if isinstance(configuration, DecompositionConfiguration):
        detectors = detectors_beside(path, checkpoint, configuration.threshold, device)
    network.convert(array_module(device).asarray)
    return TrainedClassifier(network, configuration, channels, detectors, origin)


def _configuration(checkpoint: Checkpoint) -> ClassifierConfiguration:
    if "depth" in checkpoint.configuration:
        raise UsageError("it is one of a detector, which experiments/roi_detection.py trained")
    kind = DecompositionConfiguration if "threshold" in checkpoint.configuration else ClassifierConfiguration
    return kind(**checkpoint.configuration)


def _channels(checkpoint: Checkpoint, configuration: ClassifierConfiguration) -> int:
    """Of the network's input. Raises CheckpointError for tensors that are not those of the configuration."""
    first = checkpoint.part("parameters")["conv_1a.W"]
    if first.ndim != 4 or first.shape[2] not in (1, 2):
        raise CheckpointError(f"'conv_1a.W' is {first.shape}; expected 3 x 3 kernels for an image of 1 or 2 channels")
    width, pixels = configuration.width, (configuration.side // 32) ** 2
    require_shapes(checkpoint, {
        "conv_1a.W": (3, 3, first.shape[2], scaled(CHANNELS[0], width)),
        "dense_6a.W": (pixels * scaled(CHANNELS[-1], width), scaled(FEATURES[0], width))})
    return first.shape[2]
