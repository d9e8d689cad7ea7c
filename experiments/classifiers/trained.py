"""A classifier as its run left it: what it makes of an image, and what it is then asked."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import Checkpoint
from engine.layer import Layer
from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.recorded import kind_of, recorded_configuration
from experiments.datasets.images.reading import read_image
from experiments.detectors.heat_maps import Detectors
from experiments.detectors.kept import detectors_beside
from experiments.detectors.network import detector_name
from experiments.inputs.crop import breast_square, enlarge_mask
from experiments.inputs.merged import merge
from experiments.inputs.preprocessing import Preprocessing, preprocess
from experiments.inputs.size_groups import GROUPS
from experiments.runs.checkpoints import described_wrongly
from experiments.runs.provenance import Provenance, provenance
from experiments.runs.restoring import restored
from experiments.system.device import placed
from experiments.system.errors import UsageError

EXPECTED = "experiments/end2end.py, decomposition.py or retraining.py"


@dataclass(frozen=True)
class TrainedClassifier:
    """network      the VGG, on its device; y: the logits
    configuration  it was trained with
    detectors      of a decomposition; the second channel of a retrained classifier is empty
    provenance     what it was trained on
    """

    network: Layer
    configuration: ClassifierConfiguration
    detectors: Detectors | None
    provenance: Provenance

    def prepare(self, path: Path, max_pixels: int | None = None) -> np.ndarray:
        """(1, side, side, 1) float32 in [0, 1]: the image file as in training. Raises Failure where it is of no use.

        max_pixels: of the largest image that is read; None: what the run allowed.
        """
        image = self.read(path, max_pixels)
        return preprocess(image, None, Preprocessing.of(self.configuration), str(path)).image[None, :, :, None]

    def read(self, path: Path, max_pixels: int | None = None) -> np.ndarray:
        """(H, W): the grey levels of the image file; the rest as `prepare`."""
        return read_image(path, max_pixels or self.configuration.max_pixels)

    def marks(self, images: np.ndarray, image: np.ndarray, name: str) -> dict[str, np.ndarray]:
        """Of each detector by its name the mask (H, W) bool in the pixels of `image` (H, W), of which `images`
        (1, side, side, 1) was prepared; none outside the square that the networks see. Empty without detectors."""
        if self.detectors is None:
            return {}
        assert isinstance(self.configuration, DecompositionConfiguration)
        crop = breast_square(image, name)
        names = [detector_name(group, self.configuration.loss) for group in GROUPS]
        return {detector: enlarge_mask(mask, crop, image.shape)
                for detector, mask in zip(names, self.detectors.marks(images)[:, 0], strict=True)}

    def input(self, images: np.ndarray) -> np.ndarray:
        """(n, side, side, channels) float32, what the network takes, for prepared images (n, side, side, 1)."""
        if self.configuration.channels == 1:
            return images
        empty = np.zeros(images.shape[:3], np.uint8)
        return merge(images, empty if self.detectors is None else self.detectors.heat_map(images))


def load_classifier(path: Path, device: str, checkpoint: Checkpoint) -> TrainedClassifier:
    """The classifier in the checkpoint at `path`, written by experiments/end2end.py, decomposition.py or retraining.py.

    The detectors of a decomposition lie in the folder of its checkpoint. Raises UsageError where it holds no
    classifier, or the detectors are not beside it, and Failure where these or the network are damaged.
    """
    with described_wrongly(path, EXPECTED):
        configuration = _configuration(checkpoint, path)
        Preprocessing.of(configuration)
        network = restored(checkpoint, lambda rng: build(configuration, rng))
        origin = provenance(checkpoint, path)
    detectors = None
    if isinstance(configuration, DecompositionConfiguration):
        detectors = detectors_beside(path, checkpoint, configuration.threshold, device)
    return TrainedClassifier(placed(network, device), configuration, detectors, origin)


def _configuration(checkpoint: Checkpoint, path: Path) -> ClassifierConfiguration:
    kind = kind_of(checkpoint.configuration)
    if not issubclass(kind, ClassifierConfiguration):
        raise UsageError("it is one of a detector, which experiments/roi_detection.py trained")
    return recorded_configuration(kind, checkpoint.configuration, path)
