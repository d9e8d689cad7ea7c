"""What predict.py says of an image: a classifier's probabilities, or a ROI detector's mask."""
from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from engine.checkpoint import to_numpy
from experiments.classifiers.trained import TrainedClassifier, load_classifier
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import kind_of
from experiments.detectors.trained import TrainedDetector, load_detector
from experiments.prediction.output import ClassRow, MaskRow, Pictures, readable
from experiments.reporting.figures import overlay_figure, saliency_figure
from experiments.runs.checkpoints import described_wrongly, find_checkpoint, read_checkpoint
from experiments.runs.provenance import Provenance
from experiments.system.device import beside
from experiments.system.errors import Failure, UsageError
from models.predict import predict
from models.saliency import saliency


@dataclass(frozen=True, slots=True)
class Wanted:
    """Folders for pictures, None where none are wanted; and the most pixels that an image may have, None for what the
    run allowed."""
    saliency: Path | None = None
    overlay: Path | None = None
    masks: Path | None = None
    max_pixels: int | None = None


@dataclass(frozen=True)
class Picture:
    """Still to be made, and to be written to one of these places."""

    place: Pictures
    draw: Callable[[], bytes]


@dataclass(frozen=True)
class Answer:
    """What JSON is to hold of the image, its cells in the table, and the pictures that were asked for."""

    row: ClassRow | MaskRow
    cells: Sequence[str]
    pictures: Sequence[Picture]


class Answers(Protocol):
    """What fills the table; columns: their titles, beside that of the images."""

    provenance: Provenance

    @property
    def columns(self) -> Sequence[str]: ...

    def answer(self, path: Path) -> Answer:
        """Raises Failure where the image is of no use."""


class Classes:
    """The answers of a classifier. given: what the user called it."""

    def __init__(self, classifier: TrainedClassifier, given: Path, wanted: Wanted, paths: Sequence[Path]) -> None:
        if wanted.masks:
            raise UsageError(f"--masks: {given} is a classifier; one of the ten detectors of a run of "
                             "experiments/roi_detection.py is needed, such as runs/ROI_RUN/P4-dice")
        if wanted.overlay and classifier.detectors is None:
            raise UsageError(f"--overlay: {given} has no ROI detectors; that of a run of experiments/decomposition.py "
                             "is needed")
        self.classifier, self.provenance, self.max_pixels = classifier, classifier.provenance, wanted.max_pixels
        self.classes = classifier.configuration.class_names
        self.columns: Sequence[str] = [*(f"{name:>7}" for name in self.classes), "prediction"]
        self.saliencies = Pictures(wanted.saliency, "saliency", paths) if wanted.saliency else None
        self.overlays = Pictures(wanted.overlay, "overlay", paths) if wanted.overlay else None

    def answer(self, path: Path) -> Answer:
        network = self.classifier.network
        x = self.classifier.input(self.classifier.prepare(path, self.max_pixels))
        values, logits = (to_numpy(each)[0] for each in predict(network, beside(network, x)))
        if not np.isfinite(logits).all():  # the sigmoid of an infinity would look like a probability
            raise Failure(f"{path}: the network's outputs are not finite numbers")
        chosen = int(np.argmax(values))
        probabilities, answer = dict(zip(self.classes, values.tolist(), strict=True)), self.classes[chosen]
        title = f"{readable(path.name)}: " + ", ".join(f"{name} {value:.2f}" for name, value in probabilities.items())
        note = "\n".join(self.provenance.sentences)
        pictures = []
        if self.saliencies:
            pictures.append(Picture(self.saliencies, lambda: saliency_figure(
                x[0, ..., 0], to_numpy(saliency(network, beside(network, x), [chosen]))[0], answer, title, note)))
        if self.overlays:
            pictures.append(Picture(self.overlays, lambda: overlay_figure(x[0, ..., 0], x[0, ..., 1], title, note)))
        cells = [*(f"{value:7.4f}" for value in probabilities.values()), answer]
        return Answer(ClassRow(readable(path), probabilities, answer), cells, pictures)


class Masks:
    """The answers of a ROI detector. given: what the user called it."""

    columns: Sequence[str] = ("marked", "mask")

    def __init__(self, detector: TrainedDetector, given: Path, wanted: Wanted, paths: Sequence[Path]) -> None:
        for name in ("saliency", "overlay"):
            if getattr(wanted, name):
                raise UsageError(f"--{name}: {given} is a ROI detector; a classifier is needed")
        if not wanted.masks:
            raise UsageError(f"{given} is a ROI detector, whose answers are masks: say by --masks DIR where to write "
                             "them. For probabilities, name a run of a classifier")
        self.detector, self.provenance, self.max_pixels = detector, detector.provenance, wanted.max_pixels
        self.places = Pictures(wanted.masks, "mask", paths)

    def answer(self, path: Path) -> Answer:
        mask, place = self.detector.mask(path, self.max_pixels), readable(self.places.place(path))
        marked = float(mask.mean())
        return Answer(MaskRow(readable(path), marked, place), [f"{marked:6.2%}", place], [
            Picture(self.places, lambda: mask_png(mask))])


def load_answers(given: Path, wanted: Wanted, paths: Sequence[Path], device: str) -> Answers:
    """What answers: the network in the checkpoint, of whichever kind it is. given: a run's folder or its checkpoint."""
    place = find_checkpoint(given)
    checkpoint = read_checkpoint(place)
    with described_wrongly(place, "this project's networks"):
        kind = kind_of(checkpoint.configuration)
    if issubclass(kind, DetectorConfiguration):
        return Masks(load_detector(place, device, checkpoint), given, wanted, paths)
    return Classes(load_classifier(place, device, checkpoint), given, wanted, paths)


def mask_png(mask: np.ndarray) -> bytes:
    """(H, W) bool as a PNG file of grey levels: 255 where it is True, 0 elsewhere."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, format="PNG")
    return buffer.getvalue()
