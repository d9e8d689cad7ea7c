"""Any collection as a folder with one table: image, label, patient; also mask (may be empty), source, collection
and what `folder_facts` reads: breast, split, view, density, age, scanner, finding.
"""
import os
from functools import partial
from pathlib import Path

from experiments.datasets import folder_facts
from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.images.masks import require_lesion
from experiments.datasets.images.reading import read_image, read_mask
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.datasets.same_files import ListedFiles
from experiments.datasets.tables import missing_columns, read_table
from experiments.system.errors import Failure

LOOKS_LIKE = ("folder: one CSV file (or one with tabs, .tsv) with the columns image, label, patient and, where lesions "
              "are marked, mask; also breast (left, right), split (training, test: it is kept), view, density, age, "
              "scanner, finding, source and collection")

COLUMNS = ("image", "label", "patient")
OPTIONAL = ("mask", "source", "collection", *folder_facts.COLUMNS)
LABELS = {"cancer": "cancer", "malignant": "cancer", "normal": "normal", "benign": "benign",
          "benign_without_callback": "benign"}


def recognise(folder: Path) -> bool:
    """One table, or several of which one would do: then `read` says that there must be one."""
    tables = _tables(folder)
    return len(tables) == 1 or any(missing_columns(table, COLUMNS) == [] for table in tables)


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The images that the table lists, in its order; paths are relative to the table.

    The set has the name in the column `collection`, or where rows differ or say nothing that of the folder.

    Raises `Failure`, naming the file and the line, for what `read_table` refuses, an unknown label, an absent file, an
    empty patient, a fact that is not understood, and an image that is listed twice, by whatever names; and when it is
    loaded, for an image or a mask that cannot be read, a lesion's mask that is empty, and a normal image with a lesion.
    """
    tables = _tables(folder)
    if len(tables) != 1:
        raise Failure(f"{folder}: expected one CSV file, found {len(tables)}: "
                      f"{', '.join(path.name for path in tables)}. Keep the one that lists the images")
    mammograms: list[Mammogram] = []
    collections: set[str] = set()
    files = ListedFiles()
    for cells, place in read_table(tables[0], COLUMNS, OPTIONAL):
        mammograms.append(_mammogram(cells, folder, place, files, choices.max_pixels))
        collections.add(cells["collection"])
    if not mammograms:
        raise Failure(f"{tables[0]}: lists no images")
    name = collections.pop() if len(collections) == 1 else ""
    return Dataset(name or folder.resolve().name, mammograms)


def _tables(folder: Path) -> list[Path]:
    """The CSV files; those with tabs where there are none."""
    for suffix in (".csv", ".tsv"):
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() == suffix and path.is_file())
        if found:
            return found
    return []


def _mammogram(cells: dict[str, str], folder: Path, place: str, files: ListedFiles, max_pixels: int) -> Mammogram:
    label = LABELS.get(cells["label"].lower())
    if label is None:
        raise Failure(f"{place}: unknown label {cells['label']!r}; expected one of {', '.join(LABELS)}")
    if not cells["patient"]:
        raise Failure(f"{place}: the patient is empty; the data are split by patient, so every image needs one")
    image = _file("image", cells, folder, place)
    files.image(image, place)
    mask = _file("mask", cells, folder, place) if cells["mask"] else None
    if mask is not None:
        files.mask(mask, place)
    breast, part, facts = folder_facts.told(cells, place)
    return Mammogram(
        name=Path(os.path.relpath(image, folder)).as_posix(), patient=cells["patient"], label=label,
        source=cells["source"] or folder.resolve().name,
        fingerprint=file_fingerprint(*(path for path in (image, mask) if path is not None)),
        load=partial(_load, image, mask, label == "normal", place, max_pixels), breast=breast, part=part, facts=facts)


def _file(column: str, cells: dict[str, str], folder: Path, place: str) -> Path:
    path = folder / cells[column]
    try:
        if cells[column] and path.is_file():
            return path
    except (OSError, ValueError) as error:  # a name that no file can have, a folder that may not be entered
        raise Failure(f"{place}: the {column} {cells[column][:100]!r} cannot be read "
                      f"({getattr(error, 'strerror', None) or error})") from error
    raise Failure(f"{place}: the {column} {cells[column][:100]!r} is not a file in {folder}")


def _load(image: Path, mask: Path | None, normal: bool, place: str, max_pixels: int) -> Pixels:
    try:
        levels = read_image(image, max_pixels)
        marked = None if mask is None else read_mask(mask, max_pixels)
    except Failure as error:
        raise Failure(f"{place}: {error}") from error
    if marked is None or marked.shape != levels.shape:  # `preprocess` refuses the latter
        return levels, marked
    if normal:
        if marked.any():
            raise Failure(f"{place}: the label is normal, and the mask {mask} marks a lesion. Correct the label, or "
                          "leave the mask out")
        return levels, None
    require_lesion(marked, str(mask), place)
    return levels, marked
