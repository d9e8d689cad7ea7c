"""predictions.csv: what a classifier answered for every image, for statistics over several runs."""
import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.system.errors import Failure
from experiments.system.files import write_text
from experiments.system.text import inert, original, printable

COLUMNS = ("split", "name", "patient", "label")


@dataclass(frozen=True)
class ImagePredictions:
    """Outputs for n images of one split.

    names, patients  (n,) str, the names without repetition       labels  (n,) int64, indices into `classes`
    probabilities    (n, C) float32 in [0, 1]                     classes the C names, in the order of the outputs
    """

    names: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...] = CLASSES

    def __len__(self) -> int:
        return len(self.names)


def write_predictions(path: Path, splits: Mapping[str, ImagePredictions]) -> None:
    """A line for each image: split, name, patient, label and one column a class. All splits have the same classes.

    Probabilities are written as the doubles that equal them, so that reading gives back the same float32 bits. Names
    and patients that a spreadsheet would compute ("=1+1", "@x") begin with an apostrophe, which reading takes away.
    """
    lines: list[str] = []
    # Rows that end in "\r\n", since only then does the writer put quotes around a name with "\r" in it.
    writer = csv.writer(SimpleNamespace(write=lambda row: lines.append(row.removesuffix("\r\n") + "\n")))
    writer.writerow([*COLUMNS, *next(iter(splits.values())).classes])
    for split, given in splits.items():
        for name, patient, label, outputs in zip(given.names, given.patients, given.labels,
                                                 given.probabilities.astype(np.float32), strict=True):
            writer.writerow([*map(inert, (split, name, patient)), given.classes[label], *map(repr, outputs.tolist())])
    write_text(path, printable("".join(lines)))


def read_predictions(path: Path) -> dict[str, ImagePredictions]:
    """The splits of the file, in its order; images in its order.

    Raises `Failure`, naming the file and the line, for a file that is absent or not such a table, an unknown label, an
    empty split, name or patient, an output that is not a number from 0 to 1, and an image that is listed twice.
    """
    try:
        rows = _rows(path)
    except FileNotFoundError:
        raise Failure(f"{path}: there is no such file; a finished classification run has one") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Failure(f"{path}: cannot be read as a CSV file in UTF-8 ({error})") from error
    header = rows[0][1] if rows else []
    classes = tuple(header[len(COLUMNS):])
    if tuple(header[:len(COLUMNS)]) != COLUMNS or len(classes) < 2 or len(set(classes)) != len(classes):
        raise Failure(f"{path}, line 1: expected the columns {','.join(COLUMNS)} and one for each of at least two "
                      f"classes, found {','.join(header) or 'nothing'}")
    if len(rows) == 1:
        raise Failure(f"{path}: lists no images")
    found: dict[str, dict[str, tuple[str, int, list[float]]]] = {}
    for line, cells in rows[1:]:
        split, name, patient, label, outputs = _parse(cells, classes, f"{path}, line {line}")
        images = found.setdefault(split, {})
        if name in images:
            raise Failure(f"{path}, line {line}: image {name!r} of split {split!r} is listed already")
        images[name] = patient, label, outputs
    return {split: _collect(images, classes) for split, images in found.items()}


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """(line, cells) of every row; the line is the one in which the row ends."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file, strict=True)
        return [(reader.line_num, cells) for cells in reader]


def _parse(cells: list[str], classes: tuple[str, ...], place: str) -> tuple[str, str, str, int, list[float]]:
    expected = len(COLUMNS) + len(classes)
    if len(cells) != expected:
        raise Failure(f"{place}: has {len(cells)} cells, expected {expected}")
    *texts, label = cells[:len(COLUMNS)]
    split, name, patient = map(original, texts)
    for column, cell in zip(COLUMNS, cells, strict=False):
        if not cell:
            raise Failure(f"{place}: the {column} is empty")
    if label not in classes:
        raise Failure(f"{place}: unknown label {label!r}; expected one of {', '.join(classes)}")
    return split, name, patient, classes.index(label), [
        _probability(text, place) for text in cells[len(COLUMNS):]]


def _probability(text: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise Failure(f"{place}: {text!r} is not a number from 0 to 1")
    return value


def _collect(images: Mapping[str, tuple[str, int, list[float]]], classes: tuple[str, ...]) -> ImagePredictions:
    patients, labels, outputs = zip(*images.values(), strict=True)
    return ImagePredictions(np.array(list(images), dtype=str), np.array(patients, dtype=str),
                            np.array(labels, dtype=np.int64), np.array(outputs, dtype=np.float32), classes)
