"""Any collection as a folder with one CSV: image, mask (may be empty), label, patient; also source and collection."""
import csv
from functools import partial
from pathlib import Path

import numpy as np

from experiments.datasets.images import read_image
from experiments.datasets.record import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.errors import Failure

LOOKS_LIKE = "folder: one CSV file with the columns image, mask, label, patient"

COLUMNS = ("image", "mask", "label", "patient")
LABELS = {"cancer": "cancer", "malignant": "cancer", "normal": "normal", "benign": "benign",
          "benign_without_callback": "benign"}


def recognise(folder: Path) -> bool:
    """One CSV, or several of which one would do: then `read` says that there must be one."""
    return any(_missing_columns(path) == [] for path in _tables(folder)) or len(_tables(folder)) == 1


def read(folder: Path) -> Dataset:
    """The images that the CSV lists, in its order; paths are relative to the CSV.

    The set has the name in the column `collection`, or where rows differ or say nothing that of the folder.

    Raises `Failure`, naming the file and the line, for missing columns, an unknown label, an absent file, an empty
    patient and an image that is listed twice.
    """
    tables = _tables(folder)
    if len(tables) != 1:
        raise Failure(f"{folder}: expected one CSV file, found {len(tables)}: "
                      f"{', '.join(path.name for path in tables)}. Keep the one that lists the images")
    table = tables[0]
    missing = _missing_columns(table)
    if missing:
        raise Failure(f"{table}: lacks the column(s) {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    mammograms: list[Mammogram] = []
    collections: set[str] = set()
    seen: dict[str, int] = {}
    with open(table, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        for row in reader:
            mammogram = _mammogram(row, folder, f"{table}, line {reader.line_num}")
            if mammogram.name in seen:
                raise Failure(f"{table}, line {reader.line_num}: image {mammogram.name} is listed already in line "
                              f"{seen[mammogram.name]}; join its lesions in one mask")
            seen[mammogram.name] = reader.line_num
            mammograms.append(mammogram)
            collections.add((row.get("collection") or "").strip())
    if not mammograms:
        raise Failure(f"{table}: lists no images")
    name = collections.pop() if len(collections) == 1 else ""
    return Dataset(name or folder.resolve().name, mammograms)


def _tables(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())


def _missing_columns(table: Path) -> list[str]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            header = next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise Failure(f"{table}: cannot be read as a CSV file in UTF-8 ({error})") from error
    return [column for column in COLUMNS if column not in header]


def _mammogram(row: dict[str, str | None], folder: Path, place: str) -> Mammogram:
    cell = {column: (row.get(column) or "").strip() for column in (*COLUMNS, "source")}
    label = LABELS.get(cell["label"].lower())
    if label is None:
        raise Failure(f"{place}: unknown label {cell['label']!r}; expected one of {', '.join(LABELS)}")
    if not cell["patient"]:
        raise Failure(f"{place}: the patient is empty; the data are split by patient, so every image needs one")
    image = folder / cell["image"]
    mask = folder / cell["mask"] if cell["mask"] else None
    for column, path in (("image", image), ("mask", mask)):
        if path is not None and not path.is_file():
            raise Failure(f"{place}: the {column} {cell[column]!r} is not a file in {folder}")
    paths = [path for path in (image, mask) if path is not None]
    return Mammogram(
        name=cell["image"], patient=cell["patient"], label=label, source=cell["source"] or folder.resolve().name,
        fingerprint=file_fingerprint(*paths), load=partial(_load, image, mask))


def _load(image: Path, mask: Path | None) -> Pixels:
    return read_image(image), None if mask is None else _above_half(read_image(mask))


def _above_half(levels: np.ndarray) -> np.ndarray:
    """True above half of the range: JPEG leaves levels near black and white. A mask of 0 and 1 is understood too."""
    highest = 1 if levels.max() <= 1 else 255 if levels.max() <= 255 else 65535
    return levels > highest / 2
