"""What predict.py says of an image: a classifier's probabilities, or a ROI detector's mask."""
from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from engine.checkpoint import to_numpy
from experiments.classifiers.trained import TrainedClassifier, load_classifier
from experiments.detectors.trained import TrainedDetector, load_detector
from experiments.prediction.output import Pictures, readable
from experiments.reporting.figures import overlay_figure, saliency_figure
from experiments.runs.checkpoints import find_checkpoint, read_checkpoint
from experiments.runs.provenance import Provenance
from experiments.system.device import array_module
from experiments.system.errors import Failure, UsageError
from models.predict import predict
from models.saliency import saliency


@dataclass(frozen=True)
class Picture:
    """Still to be made, and to be written to one of these places."""

    place: Pictures
    draw: Callable[[], bytes]


class Answers(Protocol):
    """What fills the table; columns: their titles, beside that of the images."""

    provenance: Provenance

    @property
    def columns(self) -> Sequence[str]: ...

    def answer(self, path: Path) -> tuple[dict[str, Any], list[str], list[Picture]]:
        """What JSON is to hold of the image, its cells in the table, and the pictures that were asked for.

        Raises Failure where the image is of no use.
        """


class Classes:
    """The answers of a classifier."""

    def __init__(self, classifier: TrainedClassifier, arguments: argparse.Namespace, paths: Sequence[Path]) -> None:
        if arguments.masks:
            raise UsageError(f"--masks: {arguments.checkpoint} is a classifier; one of the ten detectors of a run of "
                             "experiments/roi_detection.py is needed, such as runs/ROI_RUN/P4-dice")
        if arguments.overlay and classifier.detectors is None:
            raise UsageError(f"--overlay: {arguments.checkpoint} has no ROI detectors; that of a run of "
                             "experiments/decomposition.py is needed")
        self.classifier, self.xp, self.provenance = classifier, array_module(arguments.device), classifier.provenance
        self.classes, self.max_pixels = classifier.configuration.class_names, arguments.max_pixels
        self.columns: Sequence[str] = [*(f"{name:>7}" for name in self.classes), "prediction"]
        self.saliencies = Pictures(Path(arguments.saliency), "saliency", paths) if arguments.saliency else None
        self.overlays = Pictures(Path(arguments.overlay), "overlay", paths) if arguments.overlay else None

    def answer(self, path: Path) -> tuple[dict[str, Any], list[str], list[Picture]]:
        network, xp = self.classifier.network, self.xp
        x = self.classifier.input(self.classifier.prepare(path, self.max_pixels))
        values, logits = (to_numpy(each)[0] for each in predict(network, xp.asarray(x)))
        if not np.isfinite(logits).all():  # the sigmoid of an infinity would look like a probability
            raise Failure(f"{path}: the network's outputs are not finite numbers")
        chosen = int(np.argmax(values))
        probabilities, answer = dict(zip(self.classes, values.tolist(), strict=True)), self.classes[chosen]
        title = f"{readable(path.name)}: " + ", ".join(f"{name} {value:.2f}" for name, value in probabilities.items())
        note = "\n".join(self.provenance.sentences)
        pictures = []
        if self.saliencies:
            pictures.append(Picture(self.saliencies, lambda: saliency_figure(
                x[0, ..., 0], to_numpy(saliency(network, xp.asarray(x), [chosen]))[0], answer, title, note)))
        if self.overlays:
            pictures.append(Picture(self.overlays, lambda: overlay_figure(x[0, ..., 0], x[0, ..., 1], title, note)))
        cells = [*(f"{value:7.4f}" for value in probabilities.values()), answer]
        return {"probabilities": probabilities, "prediction": answer}, cells, pictures


class Masks:
    """The answers of a ROI detector."""

    columns: Sequence[str] = ("marked", "mask")

    def __init__(self, detector: TrainedDetector, arguments: argparse.Namespace, paths: Sequence[Path]) -> None:
        for name in ("saliency", "overlay"):
            if getattr(arguments, name):
                raise UsageError(f"--{name}: {arguments.checkpoint} is a ROI detector; a classifier is needed")
        if not arguments.masks:
            raise UsageError(f"{arguments.checkpoint} is a ROI detector, whose answers are masks: say by --masks DIR "
                             "where to write them. For probabilities, name a run of a classifier")
        self.detector, self.provenance, self.max_pixels = detector, detector.provenance, arguments.max_pixels
        self.places = Pictures(Path(arguments.masks), "mask", paths)

    def answer(self, path: Path) -> tuple[dict[str, Any], list[str], list[Picture]]:
        mask, place = self.detector.mask(path, self.max_pixels), readable(self.places.place(path))
        marked = float(mask.mean())
        return {"marked": marked, "mask": place}, [f"{marked:6.2%}", place], [
            Picture(self.places, lambda: mask_png(mask))]


def load_answers(arguments: argparse.Namespace, paths: Sequence[Path]) -> Answers:
    """What answers: the network in the checkpoint, of whichever kind it is."""
    place = find_checkpoint(Path(arguments.checkpoint))
    checkpoint = read_checkpoint(place)
    if "depth" in checkpoint.configuration:
        return Masks(load_detector(place, arguments.device, checkpoint), arguments, paths)
    return Classes(load_classifier(place, arguments.device, checkpoint), arguments, paths)


def mask_png(mask: np.ndarray) -> bytes:
    """(H, W) bool as a PNG file of grey levels: 255 where it is True, 0 elsewhere."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, format="PNG")
    return buffer.getvalue()
