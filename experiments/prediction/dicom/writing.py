"""The objects of an image in a folder: NAME.report.dcm, NAME.segmentation.dcm, NAME.overlay.dcm."""
from __future__ import annotations

import hashlib
import io
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from experiments.prediction.dicom.capture import capture
from experiments.prediction.dicom.reading import SERIES, Algorithm, Reading
from experiments.prediction.dicom.report import report
from experiments.prediction.dicom.segmentation import segmentation
from experiments.prediction.dicom.source import Source, read_source
from experiments.prediction.output import Pictures
from experiments.system.errors import Failure, UsageError
from experiments.system.files import write_bytes


@dataclass(frozen=True)
class Finding:
    """probabilities  by class; none of a detector
    marks          of each detector by its name the mask (H, W) bool in the image's pixels; none without detectors
    picture        of them, a PNG file without anything that identifies a patient; None without detectors
    """
    probabilities: Mapping[str, float]
    marks: Mapping[str, np.ndarray]
    picture: bytes | None

    @property
    def digest(self) -> str:
        total = hashlib.sha256(repr(dict(self.probabilities)).encode() + (self.picture or b""))
        for name, mask in self.marks.items():
            total.update(f"{name}{mask.shape}".encode() + np.packbits(mask).tobytes())
        return total.hexdigest()


class DicomFolder:
    """DICOM objects are written into `folder`, in subfolders as the images are. They never replace a file.

    Raises UsageError where highdicom is not installed, where images are read from the folder, and where it has an
    object of one of these images already: before any work.
    """

    def __init__(self, folder: Path, images: Sequence[Path], algorithm: Algorithm, time: datetime) -> None:
        try:
            import highdicom  # noqa: F401
        except ImportError:
            raise UsageError('--dicom needs highdicom; install it with: pip install -e ".[dicom]"') from None
        logging.getLogger("highdicom").setLevel(logging.ERROR)
        if os.path.realpath(folder) in {os.path.realpath(os.path.dirname(os.path.abspath(image))) for image in images}:
            raise UsageError(f"--dicom {folder}: the images are in this folder; choose another one, or the results "
                             "would be read as images the next time")
        self.places = {kind: Pictures(folder, kind, images, ".dcm") for kind in SERIES}
        self.algorithm, self.time = algorithm, time
        there = [place for image in images for place in map(self.place, [image] * len(SERIES), SERIES)
                 if os.path.lexists(place)]
        if there:
            raise UsageError(f"--dicom {folder}: {there[0]} is there already. DICOM objects are not replaced: others "
                             "may refer to them. Choose another folder")

    def place(self, image: Path, kind: str) -> Path:
        return self.places[kind].place(image)

    def write(self, image: Path, finding: Finding) -> None:
        """All objects, or none where one cannot be made. Raises Failure, naming the image."""
        source = read_source(image)
        for kind, content in self._objects(source, finding).items():
            place = self.place(image, kind)
            if os.path.lexists(place):
                raise Failure(f"{place}: is there already, and is not replaced")
            write_bytes(place, content)

    def _objects(self, source: Source, finding: Finding) -> dict[str, bytes]:
        reading = Reading(self.algorithm, source, self.time, finding.digest)
        try:
            made: dict[str, Any] = {}
            if finding.probabilities:
                made["report"] = report(reading, finding.probabilities)
            if finding.marks:
                made["segmentation"] = segmentation(reading, finding.marks)
            if finding.picture is not None:
                made["overlay"] = capture(reading, finding.picture)
            return {kind: _file(reading, dataset) for kind, dataset in made.items()}
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:  # of what its header says
            raise Failure(f"{source.path}: no DICOM results can be made of its header ({error})") from error


def _file(reading: Reading, dataset: Any) -> bytes:
    reading.date(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
