"""A ROI detector as its run left it, and the mask that it makes of an image, in the image's own pixels."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import Checkpoint
from engine.layer import Layer
from experiments.configuration.detector import THRESHOLD, DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.datasets.images.reading import read_image
from experiments.detectors.network import build, probabilities
from experiments.inputs.crop import breast_square, enlarge_mask
from experiments.inputs.preprocessing import Preprocessing, preprocess
from experiments.runs.checkpoints import described_wrongly
from experiments.runs.provenance import Provenance, provenance
from experiments.runs.restoring import restored
from experiments.system.device import placed
from experiments.system.errors import Failure


@dataclass(frozen=True, slots=True)
class Marked:
    """image (side, side) float32 in [0, 1] and mask (side, side) bool: what the detector saw and marked of it.
    whole (H, W) bool: the mask in the pixels of the image file, none outside the square that the detector sees."""

    image: np.ndarray
    mask: np.ndarray
    whole: np.ndarray


@dataclass(frozen=True)
class TrainedDetector:
    """network: the U-net, on its device; provenance: what it was trained on."""

    network: Layer
    configuration: DetectorConfiguration
    provenance: Provenance

    def mask(self, path: Path, max_pixels: int | None = None) -> np.ndarray:
        """(H, W) bool: the pixels of the image file that the detector marks; as `mark`."""
        return self.mark(path, max_pixels).whole

    def mark(self, path: Path, max_pixels: int | None = None) -> Marked:
        """What it marks of the image file. max_pixels: of the largest image that is read; None: what the run allowed.
        Raises Failure where the image is of no use.
        """
        of = self.configuration
        image = read_image(path, max_pixels or of.max_pixels)
        prepared = preprocess(image, None, Preprocessing.of(of), str(path)).image
        output = probabilities(self.network, prepared[None, :, :, None])[0, ..., 0]
        if not np.isfinite(output).all():
            raise Failure(f"{path}: the detector's output is not finite")
        mask = output > THRESHOLD
        return Marked(prepared, mask, enlarge_mask(mask, breast_square(image, str(path)), image.shape))


def load_detector(path: Path, device: str, checkpoint: Checkpoint) -> TrainedDetector:
    """Of one of the ten checkpoints in a run's folder. Raises UsageError where the checkpoint is not one of those."""
    with described_wrongly(path, "a detector of experiments/roi_detection.py"):
        configuration = recorded_configuration(DetectorConfiguration, checkpoint.configuration, path)
        Preprocessing.of(configuration)
        network = restored(checkpoint, lambda rng: build(configuration, rng))
        origin = provenance(checkpoint, path)
    return TrainedDetector(placed(network, device), configuration, origin)
