"""DMID, the Digital Mammography dataset for breast cancer diagnosis research (Oza et al. 2024, doi
10.6084/m9.figshare.24522883): TIFF or DICOM images, ROI masks, and a table like that of MIAS.

    Metadata.xlsx                          or a CSV or text file saved from it: see `table`
    TIFF Images/.../IMG001.tif             and the same in DICOM Images/.../IMG001.dcm
    ROI Masks/.../IMG001.tif               see `files`: which folder holds what

The set does not document from which edge the table counts y, so that its circles are not drawn: only the masks are.
"""
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.dmid.files import find_files, holds_images
from experiments.datasets.dmid.patients import find_patients
from experiments.datasets.dmid.table import Row, find_table, read_rows, spreadsheets, text_tables
from experiments.datasets.images.masks import require_lesion
from experiments.datasets.images.reading import read_image, read_mask
from experiments.datasets.images.shapes import image_shape
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint, printable
from experiments.system.errors import Failure
from experiments.system.progress import over

LOOKS_LIKE = ("DMID: Metadata.xlsx, or a CSV or text file saved from it, above the folders with IMG001.tif, ... or "
              "IMG001.dcm, and with the ROI masks")
HYBRID = "hybrid (findings of different classes in one image)"
UNLISTED = "in the folder, not listed in the table"
ABSENT = "listed in the table, image not in the folder"
OTHER_SHAPE = "mask of another shape than its image"
NO_PATIENTS = ("DMID does not tell which images are of one woman: each is split as if it were of a woman of its own. "
               "Two views of one breast may stand on both sides of a split, so that results look better than they are.")
NO_CIRCLES = ("of its images with a finding have no mask: their circles in the table are not drawn, since it is not "
              "documented from which edge y counts.")


def recognise(folder: Path) -> bool:
    return bool(text_tables(folder)) or (bool(spreadsheets(folder)) and holds_images(folder))


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The images that the table lists, by number; TIFF files before the DICOM files of the same images, since the masks
    were drawn on them. Several rows of an image are several findings.

    Left out and counted: hybrids, listed images that are not there, those in the folder that are not listed (they are
    not normal for that), and images whose mask has another shape. The headers of all files are read for that.

    Raises `Failure`, naming file and line, for what cannot be understood, an image that is normal in one row and has a
    finding in another, and an image that is there twice; when it is loaded, for a file that cannot be read, a mask that
    is empty, and a normal image whose mask marks something.
    """
    rows = read_rows(find_table(folder))
    files = find_files(folder, choices.max_pixels)
    listed = [name for name in sorted(rows) if name in files.images]
    if not listed:
        raise Failure(f"{folder}: none of the {len(rows)} images that the table lists is below it; expected for "
                      f"example {folder / 'TIFF Images' / (next(iter(rows)) + '.tif')}")
    patients = find_patients(listed, files)
    excluded = Counter({UNLISTED: len(files.images.keys() - rows.keys()), ABSENT: len(rows) - len(listed)})
    mammograms, unmarked = [], 0
    for name in over(listed, "Reading the headers", "image", leave=False):
        label = _label(rows[name])
        image, masks = files.images[name], tuple(files.masks.get(name, ()))
        shape = image_shape(image, choices.max_pixels)
        if label is None:
            excluded[HYBRID] += 1
        elif any(image_shape(mask, choices.max_pixels) != shape for mask in masks):
            excluded[OTHER_SHAPE] += 1
        else:
            unmarked += label != "normal" and not masks
            mammograms.append(_mammogram(rows[name], label, folder, image, masks, patients.get(name, name),
                                         choices.max_pixels))
    notes = [NO_PATIENTS] if not patients else []
    if unmarked:
        notes.append(f"DMID: {unmarked} {NO_CIRCLES}")
    return Dataset("DMID", mammograms, {reason: count for reason, count in excluded.items() if count}, tuple(notes),
                   marked=bool(files.masks))


def _label(rows: Sequence[Row]) -> str | None:
    """None for a hybrid."""
    labels = {row.label for row in rows}
    if "normal" in labels and len(labels) > 1:
        raise Failure(f"{rows[-1].place}: {rows[-1].image} is normal in one row and has a finding in another")
    return labels.pop() if len(labels) == 1 else None


def _mammogram(rows: Sequence[Row], label: str, folder: Path, image: Path, masks: tuple[Path, ...], patient: str,
               max_pixels: int) -> Mammogram:
    facts = {"view": rows[0].view, "finding": ", ".join(sorted({row.kind for row in rows} - {""}))}
    return Mammogram(
        name=printable(image.relative_to(folder).as_posix()), patient=patient, label=label, source="dmid",
        fingerprint=file_fingerprint(image, *masks),
        load=partial(_load, image, masks, label == "normal", rows[0].place, max_pixels), breast=rows[0].breast,
        facts=tuple((name, value) for name, value in facts.items() if value))


def _load(image: Path, masks: Sequence[Path], normal: bool, place: str, max_pixels: int) -> Pixels:
    levels = read_image(image, max_pixels)
    if not masks:
        return levels, None
    joined = np.zeros(levels.shape, dtype=bool)
    for path in masks:
        mask = read_mask(path, max_pixels)
        if normal and mask.any():
            raise Failure(f"{place}: the image is normal, and the mask {path} marks a lesion. Correct the table, or "
                          "take the mask away")
        if not normal:
            require_lesion(mask, str(path), place)
        joined |= mask
    return levels, None if normal else joined
