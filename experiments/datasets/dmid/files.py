"""Which file of DMID is which: images and masks of one name lie in different folders.

The folders of the copies that people have are named differently, so a folder is known by a word in its name or, where
there is none, by its first picture: a mask has two levels. Pictures with annotations drawn into them are not used.
"""
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.datasets.folders import folders_below
from experiments.datasets.images.reading import read_image
from experiments.system.errors import Failure

NAME = re.compile(r"(IMG\d{1,6})(?:\D.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
DICOM, PICTURES = (".dcm", ".dicom"), (".tif", ".tiff", ".png", ".jpg", ".jpeg")
MASKS, DRAWN, IMAGES = "masks", "drawn", "images"
WORDS = (("mask", MASKS), ("annotation", DRAWN), ("overlay", DRAWN), ("tif", IMAGES), ("dicom", IMAGES),
         ("original", IMAGES))
DEPTH = 2  # of the folders in which images are looked for to recognise the set


@dataclass(frozen=True, slots=True)
class Files:
    """By the image's number, 'IMG001': the picture or else the DICOM file; the DICOM file, for its header; masks."""

    images: dict[str, Path]
    headers: dict[str, Path]
    masks: dict[str, list[Path]]


def holds_images(folder: Path) -> bool:
    """Whether IMG001.tif or the like stands in the folder or at most two folders below it."""
    places = [folder]
    for _ in range(DEPTH + 1):
        for place in places:
            if any(_is_image(path) for path in place.iterdir()):
                return True
        places = [path for place in places for path in place.iterdir() if path.is_dir()]
    return False


def find_files(folder: Path, max_pixels: int) -> Files:
    """All files below the folder. Raises `Failure` for two pictures, or two DICOM files, of one image."""
    pictures: dict[str, Path] = {}
    headers: dict[str, Path] = {}
    masks: dict[str, list[Path]] = defaultdict(list)
    for place, names in folders_below(folder):
        paths = [Path(place, name) for name in names if _is_image(Path(name))]
        if not paths:
            continue
        role = _role(Path(place).relative_to(folder), paths[0], max_pixels)
        for path in paths:
            number = _number(path)
            if role == MASKS:
                masks[number].append(path)
            elif role == IMAGES:
                kind = headers if path.suffix.lower() in DICOM else pictures
                if kind.setdefault(number, path) != path:
                    raise Failure(f"{path}: is a second image {number}, beside {kind[number]}. Take one of them, or "
                                  "the folder it is in, away")
    return Files({**headers, **pictures}, headers, masks)


def _role(place: Path, first: Path, max_pixels: int) -> str:
    for part in reversed(place.parts):  # the nearest folder counts
        for word, role in WORDS:
            if word in part.lower():
                return role
    levels = read_image(first, max_pixels)
    two = np.logical_or(levels == levels.min(), levels == levels.max()).all()
    return MASKS if two else IMAGES


def _is_image(path: Path) -> bool:
    return NAME.fullmatch(path.stem) is not None and path.suffix.lower() in (*DICOM, *PICTURES)


def _number(path: Path) -> str:
    match = NAME.fullmatch(path.stem)
    assert match is not None
    return match[1].upper()
