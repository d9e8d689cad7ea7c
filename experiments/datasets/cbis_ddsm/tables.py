"""The description files of CBIS-DDSM: one row an abnormality, with the paths of image, crop and mask."""
import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from experiments.errors import Failure

LABELS = {"MALIGNANT": "cancer", "BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign"}
NAMES = tuple(f"{kind}_case_description_{part}_set.csv" for kind in ("mass", "calc") for part in ("train", "test"))
IMAGE, CROP, MASK = "image file path", "cropped image file path", "ROI mask file path"
COLUMNS = ("patient_id", "left or right breast", "image view", "pathology", IMAGE, CROP, MASK)


@dataclass(frozen=True)
class Cell:
    """What a path cell says: subject / study UID / series UID / file. Newer downloads keep the subject, older ones the
    series too; the file's name is not reliable, and mask and crop are exchanged in places."""

    subject: str
    series: str


@dataclass(frozen=True)
class Abnormality:
    """One row. place: its file and line, for messages."""

    patient: str
    breast: str
    projection: str
    label: str
    image: Cell
    crop: Cell
    mask: Cell
    place: str


def tables(folder: Path) -> list[Path]:
    return [folder / name for name in NAMES if (folder / name).is_file()]


def read_tables(folder: Path) -> list[list[Abnormality]]:
    """The abnormalities of each view, sorted by patient, breast and projection.

    Raises `Failure`, naming file and line, for a missing column, an empty cell, a path that is none and an unknown
    pathology.
    """
    views: dict[tuple[str, str, str], list[Abnormality]] = defaultdict(list)
    for table in tables(folder):
        for row in _rows(table):
            views[row.patient, row.breast, row.projection].append(row)
    if not views:
        raise Failure(f"{folder}: {', '.join(path.name for path in tables(folder))} list no images")
    return [views[key] for key in sorted(views)]


def _rows(table: Path) -> Iterator[Abnormality]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise Failure(f"{table}: lacks the column(s) {', '.join(missing)}")
            line = reader.line_num + 1
            for row in reader:
                yield _abnormality(row, f"{table}, line {line}")
                line = reader.line_num + 1  # a row may have several lines: cells end in a newline inside the quotes
    except (UnicodeDecodeError, csv.Error) as error:
        raise Failure(f"{table}: cannot be read as a CSV file in UTF-8 ({error})") from error


def _abnormality(row: dict[str, str | None], place: str) -> Abnormality:
    cell = {column: (row[column] or "").strip() for column in COLUMNS}
    empty = [column for column in COLUMNS if not cell[column]]
    if empty:
        raise Failure(f"{place}: nothing under {', '.join(empty)}; is the line cut off?")
    label = LABELS.get(cell["pathology"].upper())
    if label is None:
        raise Failure(f"{place}: unknown pathology {cell['pathology']!r}; expected one of {', '.join(LABELS)}")
    image, crop, mask = (_cell(cell[column], f"{place}, {column}") for column in (IMAGE, CROP, MASK))
    return Abnormality(cell["patient_id"], cell["left or right breast"], cell["image view"], label, image, crop, mask,
                       place)


def _cell(text: str, place: str) -> Cell:
    parts = PurePosixPath(text).parts
    if len(parts) != 4:
        raise Failure(f"{place}: {text!r} is no path of the form subject/study/series/file.dcm")
    return Cell(parts[0], parts[2])
