"""What predict.py leaves behind for many images: a JSON file that is whole at any moment, and a picture for each."""
from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.runs.provenance import Provenance
from experiments.system.errors import UsageError
from experiments.system.files import write_bytes, write_json

LONGEST = 200  # bytes of a file's name; systems allow 255, some of which a name in the making takes
GROWTH = 50  # the JSON file is rewritten when it lacks a fiftieth of the rows, at most: so 50 are written for each


def readable(path: str | Path) -> str:
    """The path as text for people and for JSON; a name that is not UTF-8 has its odd bytes as \\xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A classifier's answer: probabilities by class, and the class of the largest."""
    image: str
    probabilities: dict[str, float]
    prediction: str


@dataclass(frozen=True, slots=True)
class MaskRow:
    """A detector's answer: the share of the pixels that it marks, and the file of the mask."""
    image: str
    marked: float
    mask: str


@dataclass(frozen=True, slots=True)
class FailedRow:
    image: str
    error: str


@dataclass(slots=True)
class Predictions:
    """checkpoint  that answered; trained_on: its provenance, notes: that in sentences
    images      answered, in their order; failed: those that could not be used, or not all of what was asked for"""
    checkpoint: str
    trained_on: Provenance
    notes: list[str]
    images: list[ClassRow | MaskRow] = field(default_factory=list)
    failed: list[FailedRow] = field(default_factory=list)


class PredictionJson:
    """`Predictions` in a file; None for no file.

    Written at the beginning, so that a place where that cannot be is known before any work; then after each image at
    first, and when there are many whenever a fiftieth was added; and at the end. Each time it is replaced in one step.
    """

    def __init__(self, path: Path | None, predictions: Predictions) -> None:
        self.path, self.predictions = path, predictions
        self.write()

    def add(self, image: ClassRow | MaskRow) -> None:
        self.predictions.images.append(image)
        self._write_if_due()

    def fail(self, image: str, error: str) -> None:
        self.predictions.failed.append(FailedRow(image, error))
        self._write_if_due()

    def write(self) -> None:
        self._written = self._rows
        if self.path is not None:
            write_json(self.path, self.predictions)

    @property
    def _rows(self) -> int:
        return len(self.predictions.images) + len(self.predictions.failed)

    def _write_if_due(self) -> None:
        if self._rows - self._written > self._written // GROWTH:
            self.write()


class Pictures:
    """One file for each image: FOLDER/NAME.kind.png, in subfolders as the images are, so that equal names in two
    folders stay apart. suffix: of the files. Raises UsageError where the folder is none."""

    def __init__(self, folder: Path, kind: str, images: Sequence[Path], suffix: str = ".png") -> None:
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise UsageError(f"{folder}: is not a folder; the pictures are written into one")
        self.folder, self.ending = folder, f".{kind}{suffix}"
        self.root = os.path.commonpath([os.path.dirname(os.path.abspath(image)) for image in images])

    def place(self, image: Path) -> Path:
        relative = Path(os.path.relpath(os.path.abspath(image), self.root))
        return self.folder / relative.parent / _short(relative.name, self.ending)

    def write(self, image: Path, data: bytes) -> None:
        """Raises Failure where that cannot be."""
        write_bytes(self.place(image), data)


def _short(name: str, suffix: str) -> str:
    """name + suffix; of a name that is too long the beginning, and a digest that keeps two of them apart."""
    encoded = os.fsencode(name)
    if len(encoded) + len(suffix) <= LONGEST:
        return name + suffix
    ending = f"-{hashlib.sha256(encoded).hexdigest()[:12]}{suffix}"
    return encoded[:LONGEST - len(ending)].decode("utf-8", "ignore") + ending
