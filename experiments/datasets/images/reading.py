"""Reading one image file of any usual kind: as grey levels, or as the lesions that it marks."""
from pathlib import Path

import numpy as np

from experiments.datasets.images.dicom import is_dicom, read_dicom
from experiments.datasets.images.masks import marked, require_told
from experiments.datasets.images.pgm import is_pgm, read_pgm
from experiments.datasets.images.pictures import read_picture
from experiments.datasets.images.sizes import MAX_PIXELS
from experiments.system.errors import Failure

__all__ = ["MAX_PIXELS", "read_image", "read_mask"]


def read_image(path: Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(H, W): the grey levels of a PGM, PNG, JPEG, TIFF or DICOM file, bright where the picture is bright.

    What a header says of how numbers become brightness is honoured or refused by name; `picture_headers` and
    `dicom.levels` say what. Where it says nothing, the levels are those in the file, in its dtype. Colour becomes
    grey by Rec. 601 luma.
    Raises `Failure`, naming the file, where it is absent, truncated, of an unknown kind, not a single image, or has
    more than `max_pixels` pixels.
    """
    return _read(path, max_pixels, as_mask=False)[0]


def read_mask(path: Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(H, W) bool: True on what the file marks; `masks` says what that is. Raises `Failure` as `read_image`, where the
    background is not told, and where the mask comes out empty though its file is not.
    """
    levels, lossy = _read(path, max_pixels, as_mask=True)
    mask = marked(levels, lossy)
    require_told(mask, levels, str(path))
    return mask


def _read(path: Path, max_pixels: int, as_mask: bool) -> tuple[np.ndarray, bool]:
    """The levels, and whether they were compressed with loss. as_mask: of the brightest colour, 0 where transparent."""
    path = Path(path)
    try:
        if not path.is_file():
            raise Failure(f"{path}: {'is not a file' if path.exists() else 'there is no such file'}")
        if is_dicom(path):
            levels, lossy = read_dicom(path, max_pixels, as_mask)
        elif is_pgm(path):
            levels, lossy = read_pgm(path, max_pixels), False
        else:
            levels, lossy = read_picture(path, max_pixels, as_mask)
    except MemoryError as error:
        raise Failure(f"{path}: the memory does not do for its pixels. Fewer --workers need less; a smaller "
                      "--max-pixels refuses such images at once") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise Failure(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if levels.ndim != 2 or levels.size == 0:
        raise Failure(f"{path}: expected one image of height x width pixels, found an array of shape {levels.shape}")
    if levels.dtype.kind == "f" and not np.isfinite(levels).all():
        raise Failure(f"{path}: some pixels are not finite numbers")
    return levels, lossy
