"""PNG, JPEG, TIFF and what else Pillow reads, as grey levels or as the brightest colour of each pixel."""
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from experiments.datasets.images.colours import ROWS, luma
from experiments.datasets.images.masks import Darkest
from experiments.datasets.images.picture_headers import correction, refusal
from experiments.datasets.images.sizes import require_size
from experiments.system.errors import Failure

FORMATS = ("PNG", "JPEG", "TIFF", "JPEG2000", "PPM", "BMP", "GIF", "WEBP")  # and MPO, which Pillow opens as a JPEG
WITH_LOSS = ("JPEG", "MPO", "JPEG2000", "WEBP")  # the last two may be, and do not say
TIFF_WITH_LOSS = ("jpeg", "tiff_jpeg", "webp")
GREY = ("1", "L", "I", "F")


def read_picture(path: Path, max_pixels: int, as_mask: bool) -> tuple[np.ndarray, bool]:
    """The grey levels (H, W), or the brightest colour of each pixel and 0 where it is transparent if `as_mask`; and
    whether they were compressed with loss. Raises `Failure`, naming the file.
    """
    try:
        with Image.open(path, formats=FORMATS) as picture:
            require_size(path, picture.height, picture.width, max_pixels)
            reason = refusal(picture, as_mask)
            if reason:
                raise Failure(f"{path}: {reason}")
            lossy = picture.format in WITH_LOSS or picture.info.get("compression") in TIFF_WITH_LOSS
            correct = correction(picture)
            ImageOps.exif_transpose(picture, in_place=True)
            levels = _levels(picture, as_mask, lossy, path)
            return levels if correct is None else correct(levels), lossy
    except (Failure, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise Failure(f"{path}: cannot be read as an image. Expected a PGM, PNG, JPEG, TIFF or DICOM file with grey "
                      "levels of 8 or 16 bits or colours of 8") from error
    except Image.DecompressionBombError as error:
        raise Failure(f"{path}: has more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels, which Pillow refuses to "
                      "read; expected a mammogram") from error
    except Exception as error:  # Pillow's plug-ins raise what their decoders raise
        raise Failure(f"{path}: cannot be read as an image ({error})") from error


def _levels(picture: Image.Image, as_mask: bool, lossy: bool, path: Path) -> np.ndarray:
    """In the pixels' own type, a few rows at a time: all else would take many times the room of the picture."""
    picture.load()
    parts, darkest = [], Darkest()
    for top in range(0, picture.height, ROWS):
        rows = picture.crop((0, top, picture.width, min(top + ROWS, picture.height)))
        if as_mask:
            levels, colours = _brightest(rows)
            darkest.see(levels, colours)
            parts.append(levels)
        else:
            parts.append(_grey(rows, path))
    together = np.concatenate(parts)
    if as_mask and not lossy and darkest.ambiguous(together):
        raise Failure(f"{path}: which part of this mask is the background is not told: its darkest colours are equally "
                      "bright and not the same. Expected a background of 0 (black) or transparent, and a lesion in any "
                      "brighter colour")
    return together


def _grey(rows: Image.Image, path: Path) -> np.ndarray:
    pixels, alpha = _pixels(rows)
    if alpha is not None and (alpha != 255).any():
        raise Failure(f"{path}: has transparent pixels, whose brightness is not known. Save it without transparency")
    return pixels if pixels.ndim == 2 else luma(pixels)


def _brightest(rows: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """(h, w): the brightest colour of each pixel, 0 where it is transparent; and a number for each of its colours, that
    of a palette in its place, -1 for transparent."""
    pixels, alpha = _pixels(rows)
    brightest = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    colours = np.asarray(rows) if rows.mode == "P" else pixels if pixels.ndim == 2 else (
        pixels.astype(np.int32) @ np.array((1 << 16, 1 << 8, 1), np.int32))
    if alpha is None:
        return brightest, colours
    return np.where(alpha > 0, brightest, 0), np.where(alpha > 0, colours.astype(np.int32), -1)


def _pixels(rows: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """(h, w) grey levels or (h, w, 3) colours, and the opacity (h, w) of 0 to 255 where the file has any."""
    transparent = "transparency" in rows.info or rows.mode in ("LA", "La", "PA", "RGBA", "RGBa") or (
        rows.mode == "P" and rows.palette is not None and rows.palette.mode == "RGBA")
    if rows.mode in GREY or rows.mode.startswith("I;16"):
        if not transparent:
            pixels = np.asarray(rows)
            return pixels.astype(np.uint8) * 255 if pixels.dtype == bool else pixels, None
        if rows.mode not in ("1", "L"):
            raise ValueError("one of its levels of 16 bits is declared transparent (tRNS): save it without that")
    grey = rows.mode in ("1", "L", "LA", "La")
    if transparent:
        pixels = np.asarray(rows.convert("LA" if grey else "RGBA"))
        return (pixels[..., 0] if grey else pixels[..., :3]), pixels[..., -1]
    return np.asarray(rows.convert("RGB")), None
