"""Reading one image file of any usual kind into an array of grey levels."""
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from experiments.datasets.pgm import is_pgm, read_pgm
from experiments.errors import Failure

# Rec. 601 luma, the weights of every common colour-to-grey conversion
LUMA = np.array([0.299, 0.587, 0.114])


def read_image(path: Path) -> np.ndarray:
    """(H, W): the grey levels of a PGM, PNG, JPEG, TIFF (8 or 16 bit) or DICOM file, dtype as stored.

    Colour becomes grey by Rec. 601 luma; an alpha channel is ignored; DICOM's MONOCHROME1 (0 is white) is inverted.
    Raises `Failure`, naming the file, where it is absent, truncated, of an unknown kind or not a single image.
    """
    path = Path(path)
    if not path.is_file():
        raise Failure(f"{path}: there is no such file")
    try:
        read = _read_dicom if _is_dicom(path) else read_pgm if is_pgm(path) else _read_picture
        image = read(path)
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror or error})") from error
    if image.ndim != 2 or image.size == 0:
        raise Failure(f"{path}: expected one image of height x width pixels, found an array of shape {image.shape}")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise Failure(f"{path}: some pixels are not finite numbers")
    return image


def _read_picture(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            frames = getattr(picture, "n_frames", 1)
            if frames != 1:
                raise Failure(f"{path}: holds {frames} images, expected one")
            if picture.mode in ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV"):
                pixels = np.asarray(picture.convert("RGB"))
            else:
                pixels = np.asarray(picture)
    except Failure:
        raise
    except Exception as error:  # Pillow's plug-ins raise what their decoders raise
        raise Failure(f"{path}: cannot be read as an image ({error}). Expected a complete PGM, PNG, JPEG, TIFF or "
                      "DICOM file; if it was copied or downloaded, do that again") from error
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * 255
    return _grey(pixels)


def _grey(pixels: np.ndarray) -> np.ndarray:
    if pixels.ndim != 3:
        return pixels
    if pixels.shape[2] <= 2:
        return pixels[..., 0]
    grey = pixels[..., :3] @ LUMA
    return grey if pixels.dtype.kind == "f" else np.rint(grey).astype(pixels.dtype)


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() in (".dcm", ".dicom"):
        return True
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def dicom_shape(path: Path) -> tuple[int, int]:
    """Height and width of a DICOM file, from its header. Raises `Failure`, naming it, where it holds no pixels."""
    pydicom = _pydicom(path)
    try:
        file = pydicom.dcmread(path, defer_size=1024, specific_tags=["Rows", "Columns", "PixelData"])
        if "PixelData" not in file:
            raise ValueError("it holds no pixels")
        return int(file.Rows), int(file.Columns)
    except Exception as error:  # pydicom raises many kinds
        raise Failure(f"{path}: cannot be read as DICOM ({error}); if it was copied or downloaded, do that again"
                      ) from error


def _pydicom(path: Path) -> ModuleType:
    try:
        import pydicom
    except ImportError as error:
        raise Failure(f'{path}: reading DICOM needs pydicom; install it with: pip install -e ".[dicom]"') from error
    return pydicom


def _read_dicom(path: Path) -> np.ndarray:
    pydicom = _pydicom(path)
    try:
        file = pydicom.dcmread(path)
        pixels = file.pixel_array
        photometric = str(file.get("PhotometricInterpretation", "MONOCHROME2"))
        highest = 2 ** int(file.BitsStored) - 1
    except Exception as error:  # pydicom raises many kinds, and its pixel decoders their own
        raise Failure(f"{path}: cannot be read as DICOM ({error}); if it was copied or downloaded, do that again"
                      ) from error
    if photometric.startswith("YBR"):
        raise Failure(f"{path}: is a colour image ({photometric}); expected grey levels (MONOCHROME1 or MONOCHROME2)")
    if photometric == "MONOCHROME1":
        return highest - pixels if pixels.dtype.kind == "u" else -1 - pixels
    return _grey(pixels)
