"""What predict.py says of an image: a classifier's probabilities, or a ROI detector's mask."""
from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from engine.checkpoint import to_numpy
from engine.layer import Layer
from engine.prepared import prepared
from engine.version import PACKAGE
from experiments.classifiers.trained import TrainedClassifier, load_classifier
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import kind_of
from experiments.detectors.heat_maps import digest_of
from experiments.detectors.trained import Marked, TrainedDetector, load_detector
from experiments.prediction.dicom.reading import Algorithm, reading_time
from experiments.prediction.dicom.writing import DicomFolder, Finding
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
    """Folders for pictures and DICOM objects, None where none are wanted; and the most pixels that an image may have,
    None for what the run allowed."""
    saliency: Path | None = None
    overlay: Path | None = None
    masks: Path | None = None
    dicom: Path | None = None
    max_pixels: int | None = None


@dataclass(frozen=True)
class Answer:
    """What JSON is to hold of the image, its cells in the table, and calls that make and write what was asked for."""

    row: ClassRow | MaskRow
    cells: Sequence[str]
    files: Sequence[Callable[[], None]]


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
        networks = [classifier.network, *(classifier.detectors.networks if classifier.detectors else ())]
        self.dicom = _dicom_folder(wanted, paths, classifier.configuration.kind, networks, self.provenance)

    def answer(self, path: Path) -> Answer:
        network = self.classifier.network
        prepared = self.classifier.prepare(path, self.max_pixels)
        x = self.classifier.input(prepared)
        values, logits = (to_numpy(each)[0] for each in predict(network, beside(network, x)))
        if not np.isfinite(logits).all():  # the sigmoid of an infinity would look like a probability
            raise Failure(f"{path}: the network's outputs are not finite numbers")
        chosen = int(np.argmax(values))
        probabilities, answer = dict(zip(self.classes, values.tolist(), strict=True)), self.classes[chosen]
        values_in_words = ", ".join(f"{name} {value:.2f}" for name, value in probabilities.items())
        title, note = f"{readable(path.name)}: {values_in_words}", "\n".join(self.provenance.sentences)
        files: list[Callable[[], None]] = []
        if self.saliencies is not None:
            places = self.saliencies
            files.append(lambda: places.write(path, saliency_figure(
                x[0, ..., 0], to_numpy(saliency(network, beside(network, x), [chosen]))[0], answer, title, note)))
        if self.overlays is not None:
            overlays = self.overlays
            files.append(lambda: overlays.write(path, overlay_figure(x[0, ..., 0], x[0, ..., 1], title, note)))
        if self.dicom is not None:
            dicom = self.dicom
            files.append(lambda: dicom.write(path, self._finding(path, prepared, x, probabilities, values_in_words)))
        cells = [*(f"{value:7.4f}" for value in probabilities.values()), answer]
        return Answer(ClassRow(readable(path), probabilities, answer), cells, files)

    def _finding(self, path: Path, prepared: np.ndarray, x: np.ndarray, probabilities: dict[str, float], title: str
                 ) -> Finding:
        """title: of the picture, without the file's name, in which that of a patient may stand."""
        if self.classifier.detectors is None:
            return Finding(probabilities, {}, None)
        marks = self.classifier.marks(prepared, self.classifier.read(path, self.max_pixels), str(path))
        picture = overlay_figure(x[0, ..., 0], x[0, ..., 1], title, "\n".join(self.provenance.sentences))
        return Finding(probabilities, marks, picture)


class Masks:
    """The answers of a ROI detector. given: what the user called it."""

    columns: Sequence[str] = ("marked", "mask")

    def __init__(self, detector: TrainedDetector, given: Path, wanted: Wanted, paths: Sequence[Path]) -> None:
        for name in ("saliency", "overlay"):
            if getattr(wanted, name):
                raise UsageError(f"--{name}: {given} is a ROI detector; a classifier is needed")
        if not (wanted.masks or wanted.dicom):
            raise UsageError(f"{given} is a ROI detector, whose answers are masks: say by --masks DIR where to write "
                             "them, or by --dicom DIR for DICOM images. For probabilities, name a run of a classifier")
        self.detector, self.provenance, self.max_pixels = detector, detector.provenance, wanted.max_pixels
        self.places = Pictures(wanted.masks, "mask", paths) if wanted.masks else None
        self.dicom = _dicom_folder(wanted, paths, detector.configuration.kind, [detector.network], self.provenance)

    def answer(self, path: Path) -> Answer:
        found = self.detector.mark(path, self.max_pixels)
        marked = float(found.whole.mean())
        files: list[Callable[[], None]] = []
        written: list[Path] = []
        if self.dicom is not None:
            dicom = self.dicom
            files.append(lambda: dicom.write(path, self._finding(found)))
            written.append(dicom.place(path, "segmentation"))
        if self.places is not None:
            places = self.places
            files.append(lambda: places.write(path, mask_png(found.whole)))
            written.append(places.place(path))
        place = readable(written[-1])
        return Answer(MaskRow(readable(path), marked, place), [f"{marked:6.2%}", place], files)

    def _finding(self, found: Marked) -> Finding:
        name = self.provenance.detector or "detector"
        picture = overlay_figure(found.image, found.mask.astype(np.uint8), f"ROI detector {name}",
                                 "\n".join(self.provenance.sentences))
        return Finding({}, {name: found.whole}, picture)


@contextmanager
def load_answers(given: Path, wanted: Wanted, paths: Sequence[Path], device: str) -> Iterator[Answers]:
    """What answers, for as long as the block lasts: the network in the checkpoint, of whichever kind it is.

    given: a run's folder or its checkpoint. The images come one by one, so the network is prepared (engine.prepared):
    on a CPU from the second image on without the transforms of its kernels, a fifth of the time of the VGG and of the
    U-net at 128x128 pixels and full width, the same answers to rounding. That costs memory: of these two 122 and 275
    MB, of larger images up to 235 and 502 MB. The five detectors of a decomposition would take five times as much, more
    than twice that of their weights: they are left as they are.
    """
    place = find_checkpoint(given)
    checkpoint = read_checkpoint(place)
    with described_wrongly(place, "this project's networks"):
        kind = kind_of(checkpoint.configuration)
    if issubclass(kind, DetectorConfiguration):
        detector = load_detector(place, device, checkpoint)
        with prepared(detector.network) as network:
            yield Masks(replace(detector, network=network), given, wanted, paths)
    else:
        classifier = load_classifier(place, device, checkpoint)
        with prepared(classifier.network) as network:
            yield Classes(replace(classifier, network=network), given, wanted, paths)


def _dicom_folder(wanted: Wanted, paths: Sequence[Path], kind: str, networks: Sequence[Layer], provenance: Provenance
                  ) -> DicomFolder | None:
    """kind: of the networks' configuration."""
    if wanted.dicom is None:
        return None
    algorithm = Algorithm(f"{PACKAGE}: {kind}", digest_of(networks), tuple(provenance.sentences))
    return DicomFolder(wanted.dicom, paths, algorithm, reading_time())


def mask_png(mask: np.ndarray) -> bytes:
    """(H, W) bool as a PNG file of grey levels: 255 where it is True, 0 elsewhere."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, format="PNG")
    return buffer.getvalue()
