"""The mask of an abnormality, told from the crop beside it by size and values, whatever the names of the files say."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.datasets.images.masks import require_lesion
from experiments.datasets.images.reading import read_image
from experiments.system.errors import Failure

ROUNDING = 2  # pixels
LARGEST_SCALE = 2


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
        if lowest == highest:
            raise Failure(f"{path}: the mask is empty, all its pixels are {lowest}, but {finding.place}, lists an "
                          "abnormality there. Remove that line if it is not known where the abnormality is")
        if np.logical_or(levels == lowest, levels == highest).all():
            mask = levels == highest
            require_lesion(mask, str(path), finding.place)
            return mask
    raise Failure(f"{finding.place}: {', '.join(map(str, finding.paths))} should be a mask and has more than two grey "
                  "levels. Remove that line if the mask is in no other file")
