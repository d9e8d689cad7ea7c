"""predictions.csv: what a classifier answered for every image, for statistics over several runs."""
from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from experiments.datasets.mammogram import CLASSES, FACTS
from experiments.evaluation.unit import IMAGES, Unit
from experiments.inputs.image_set import PreparedSet
from experiments.system.errors import Failure
from experiments.system.files import write_text
from experiments.system.text import inert, original, printable

COLUMNS = ("split", "name", "patient", "label")
BREAST, SOURCE = "breast", "source"
TOLD = (BREAST, SOURCE, *FACTS)  # columns behind those of the classes, of what is known of any image


@dataclass(frozen=True)
class ImagePredictions:
    """Outputs for n images of one split, or for n breasts or patients made of them (`aggregation.by_unit`).

    names, patients  (n,) str, the names without repetition       labels  (n,) int64, indices into `classes`
    probabilities    (n, C) float32 in [0, 1]                     classes the C names, in the order of the outputs
    facts            name of `TOLD` -> (n,) str, "" where the set does not tell; only those that it tells of any
    unit             what the n are
    """

    names: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...] = CLASSES
    facts: Mapping[str, np.ndarray] = field(default_factory=dict)
    unit: Unit = IMAGES

    def __len__(self) -> int:
        return len(self.names)

    def at(self, chosen: Sequence[int] | np.ndarray) -> ImagePredictions:
        """Of some, (k,) indices or (n,) bool."""
        facts = {name: values[chosen] for name, values in self.facts.items()}
        return replace(self, names=self.names[chosen], patients=self.patients[chosen], labels=self.labels[chosen],
                       probabilities=self.probabilities[chosen], facts=facts)

    @property
    def breasts(self) -> np.ndarray:
        """(n,) str: "left", "right", or "" where the set does not tell."""
        return self.facts.get(BREAST, np.full(len(self), ""))


def predictions_of(prepared: PreparedSet, indices: Sequence[int] | np.ndarray, probabilities: np.ndarray
                   ) -> ImagePredictions:
    """For the images at `indices`, (n,), of a prepared set the outputs (n, C)."""
    told = {BREAST: prepared.breasts, SOURCE: prepared.sources, **prepared.facts}
    return ImagePredictions(
        prepared.names[indices], prepared.patients[indices], prepared.labels[indices], probabilities, prepared.classes,
        {name: values[indices] for name, values in told.items() if (values[indices] != "").any()})


def write_predictions(path: Path, splits: Mapping[str, ImagePredictions]) -> None:
    """A line for each image: split, name, patient, label, one column a class, and one for what is known of an image of
    any split: its breast, its source and its facts. All splits have the same classes.

    Probabilities are written as the doubles that equal them, so that reading gives back the same float32 bits. Names
    and other texts that a spreadsheet would compute ("=1+1", "@x") begin with an apostrophe, which reading takes away.
    """
    told = [name for name in TOLD if any(name in given.facts for given in splits.values())]
    lines: list[str] = []
    # Rows that end in "\r\n", since only then does the writer put quotes around a name with "\r" in it.
    writer = csv.writer(SimpleNamespace(write=lambda row: lines.append(row.removesuffix("\r\n") + "\n")))
    writer.writerow([*COLUMNS, *next(iter(splits.values())).classes, *told])
    for split, given in splits.items():
        unknown = np.full(len(given), "")
        facts = np.stack([given.facts.get(name, unknown) for name in told], axis=1) if told else unknown[:, None][:, :0]
        for name, patient, label, outputs, known in zip(given.names, given.patients, given.labels,
                                                        given.probabilities.astype(np.float32), facts, strict=True):
            writer.writerow([*map(inert, (split, name, patient)), given.classes[label], *map(repr, outputs.tolist()),
                             *map(inert, known)])
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
    told = tuple(name for name in TOLD if name in header)
    classes = tuple(header[len(COLUMNS):len(header) - len(told)])
    if (tuple(header) != (*COLUMNS, *classes, *told) or len(classes) < 2 or len(set(classes)) != len(classes)
            or {*classes} & {*told}):
        raise Failure(f"{path}, line 1: expected the columns {','.join(COLUMNS)} and one for each of at least two "
                      f"classes, then any of {','.join(TOLD)}, found {','.join(header) or 'nothing'}")
    if len(rows) == 1:
        raise Failure(f"{path}: lists no images")
    found: dict[str, dict[str, _Row]] = {}
    for line, cells in rows[1:]:
        place = f"{path}, line {line}"
        row = _parse(cells, classes, len(told), place)
        images = found.setdefault(row.split, {})
        if row.name in images:
            raise Failure(f"{place}: image {row.name!r} of split {row.split!r} is listed already")
        images[row.name] = row
    return {split: _collect(list(images.values()), classes, told) for split, images in found.items()}


@dataclass(frozen=True, slots=True)
class _Row:
    split: str
    name: str
    patient: str
    label: int
    outputs: list[float]
    told: list[str]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """(line, cells) of every row; the line is the one in which the row ends."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file, strict=True)
        return [(reader.line_num, cells) for cells in reader]


def _parse(cells: list[str], classes: tuple[str, ...], told: int, place: str) -> _Row:
    """told: how many cells stand behind the outputs."""
    begin = len(COLUMNS)
    end = begin + len(classes)
    if len(cells) != end + told:
        raise Failure(f"{place}: has {len(cells)} cells, expected {end + told}")
    *texts, label = cells[:begin]
    split, name, patient = map(original, texts)
    for column, cell in zip(COLUMNS, cells, strict=False):
        if not cell:
            raise Failure(f"{place}: the {column} is empty")
    if label not in classes:
        raise Failure(f"{place}: unknown label {label!r}; expected one of {', '.join(classes)}")
    return _Row(split, name, patient, classes.index(label), [_probability(text, place) for text in cells[begin:end]],
                [*map(original, cells[end:])])


def _probability(text: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise Failure(f"{place}: {text!r} is not a number from 0 to 1")
    return value


def _collect(rows: Sequence[_Row], classes: tuple[str, ...], told: Sequence[str]) -> ImagePredictions:
    facts = {name: np.array([row.told[place] for row in rows], dtype=str) for place, name in enumerate(told)}
    return ImagePredictions(
        np.array([row.name for row in rows], dtype=str), np.array([row.patient for row in rows], dtype=str),
        np.array([row.label for row in rows], dtype=np.int64),
        np.array([row.outputs for row in rows], dtype=np.float32), classes,
        {name: values for name, values in facts.items() if (values != "").any()})
