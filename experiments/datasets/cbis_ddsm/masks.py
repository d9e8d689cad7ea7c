"""The mask of an abnormality, told from the crop beside it by size and values, whatever the names of the files say."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.datasets.cbis_ddsm.files import DICOM, JPEG
from experiments.datasets.images.masks import FAINTEST, require_lesion
from experiments.datasets.images.reading import read_image, read_mask
from experiments.system.errors import Failure

ROUNDING = 2  # pixels
LARGEST_SCALE = 2
BETWEEN = 0.02  # of the pixels of a mask that JPEG or another size blurred; of real crops 0.4 to 0.9


@dataclass(frozen=True, slots=True)
class Finding:
    """An abnormality's files that may be its mask by their size, and the line that lists it."""

    paths: tuple[Path, ...]
    place: str


def fits(shape: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether a file of this shape can be the mask of such an image: it has its shape, be it at another scale.

    Some masks were drawn at another resolution than the image that is distributed, for example 4386 x 1789 for
    5041 x 2056 (scaled by 1.149); others have another shape, and where they lie on the image is not known.
    """
    (height, width), (image_height, image_width) = shape, image
    scale = image_height / height
    return 1 / LARGEST_SCALE <= scale <= LARGEST_SCALE and abs(width * scale - image_width) <= ROUNDING


def joined_mask(findings: Sequence[Finding], shape: tuple[int, ...], max_pixels: int) -> np.ndarray:
    """(H, W) bool: the union of the masks, each brought to `shape` (H, W) by the nearest pixel.

    Raises `Failure`, naming file and line, where none of an abnormality's files is a mask or its mask is empty.
    """
    height, width = shape
    joined = np.zeros(shape, dtype=bool)
    for finding in findings:
        mask = Image.fromarray(_mask(finding, max_pixels))
        joined |= np.asarray(mask.resize((width, height), Image.Resampling.NEAREST))
    return joined


def _mask(finding: Finding, max_pixels: int) -> np.ndarray:
    for path in finding.paths:
        levels = read_image(path, max_pixels)
        lowest, highest = levels.min(), levels.max()
        blurred = path.suffix.lower() != DICOM
        if lowest == highest or (path.suffix.lower() in JPEG and highest - lowest < FAINTEST):
            raise Failure(f"{path}: the mask is empty, its pixels are {lowest} to {highest}, but {finding.place}, "
                          "lists an abnormality there. Remove that line if it is not known where the abnormality is")
        if np.logical_or(levels == lowest, levels == highest).all():
            mask = levels == highest
        elif blurred and _almost_two_levels(levels):
            mask = read_mask(path, max_pixels)
        else:
            continue
        require_lesion(mask, str(path), finding.place)
        return mask
    raise Failure(f"{finding.place}: {', '.join(map(str, finding.paths))} should be a mask and has more than two grey "
                  "levels. Remove that line if the mask is in no other file")


def _almost_two_levels(levels: np.ndarray) -> bool:
    low, high = float(levels.min()), float(levels.max())
    margin = (high - low) / 4
    return bool(((levels > low + margin) & (levels < high - margin)).mean() <= BETWEEN)
