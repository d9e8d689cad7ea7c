"""From stored numbers to brightness, in the standard's order (PS3.3 C.7.6.3, C.11.1, C.11.2, C.11.6; PS3.4 N.2).

    cells -> stored values -> modality LUT or rescale -> VOI LUT or window -> inversion; padding is the darkest

Cells: the bits BitsStored below HighBit, signed where PixelRepresentation says so; the other bits, in which old files
keep overlays, are no part of the value. Overlay planes are graphics beside the picture and are not drawn into it.
Of several VOI LUTs or windows the first is taken, a LUT before a window. MONOCHROME1 and PresentationLUTShape INVERSE
both say that the lowest value is to be shown white: mammograms carry both (C.8.11.3.1.2), and are inverted once.
"""
from typing import Any

import numpy as np

from experiments.datasets.images.colours import luma
from experiments.datasets.images.dicom.tables import look_up

SHAPES = ("", "IDENTITY", "INVERSE")


def brightness(file: Any, cells: np.ndarray) -> np.ndarray:
    """(H, W) from the stored cells, (H, W) or (H, W, 3): integers where no header asks for more, else float64.

    Raises ValueError, saying what it found, for what the standard does not define.
    """
    photometric = str(file.PhotometricInterpretation)
    if photometric in ("RGB", "PALETTE COLOR"):
        return luma(_colours(file, cells, photometric))
    if cells.ndim != 2:
        raise ValueError(f"it is {photometric} and has {cells.shape[-1]} numbers a pixel")
    shape = str(file.get("PresentationLUTShape", None) or "")
    if shape not in SHAPES or "PresentationLUTSequence" in file:
        raise ValueError(f"its Presentation LUT {shape or 'Sequence'} is not applied here; expected the shape IDENTITY "
                         "or INVERSE")
    values = _stored_values(file, cells)
    padding = _padding(file, cells, values)
    levels = _voi(file, _modality(file, values))
    if photometric == "MONOCHROME1" or shape == "INVERSE":
        levels = _inverted(file, levels)
    if padding is not None and padding.any() and not padding.all():
        levels = np.where(padding, levels[~padding].min(), levels)
    return levels


def _stored_values(file: Any, cells: np.ndarray) -> np.ndarray:
    if cells.dtype.kind == "f":
        return cells
    stored, allocated = int(file.BitsStored), 8 * cells.dtype.itemsize
    shift = int(file.get("HighBit", stored - 1)) + 1 - stored
    if not (0 < stored <= allocated and 0 <= shift <= allocated - stored):
        raise ValueError(f"its values have BitsStored {stored} and HighBit {file.get('HighBit')} in cells of "
                         f"{allocated} bits")
    values = cells.view(f"u{cells.dtype.itemsize}")
    if (shift, stored) != (0, allocated):
        values = values >> shift & np.array((1 << stored) - 1, values.dtype)
    if not int(file.get("PixelRepresentation", 0)):
        return values
    unused = allocated - stored
    return (values << unused).view(f"i{cells.dtype.itemsize}") >> unused  # the sign goes along


def _padding(file: Any, cells: np.ndarray, values: np.ndarray) -> np.ndarray | None:
    if file.get("PixelPaddingValue", None) is None:
        return None
    first = int(file.PixelPaddingValue)
    limit = file.get("PixelPaddingRangeLimit", None)
    if limit is None and cells.dtype.kind != "f":  # it may be written with the other signedness, or beyond BitsStored
        whole = np.array(first % (1 << 8 * cells.dtype.itemsize)).astype(f"u{cells.dtype.itemsize}")
        return (values == first) | (cells.view(whole.dtype) == whole)
    last = first if limit is None else int(limit)
    if values.dtype.kind == "i":
        first, last = (number - (1 << 16) if number >= 1 << 15 else number for number in (first, last))
    return (values >= min(first, last)) & (values <= max(first, last))


def _modality(file: Any, values: np.ndarray) -> np.ndarray:
    if file.get("ModalityLUTSequence", None):
        return look_up(file, file.ModalityLUTSequence[0], values)
    slope, intercept = file.get("RescaleSlope", None), file.get("RescaleIntercept", None)
    slope, intercept = 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)
    if not (np.isfinite(slope) and np.isfinite(intercept) and slope):
        raise ValueError(f"its rescale slope is {slope} and its intercept {intercept}")
    return values if (slope, intercept) == (1, 0) else values * slope + intercept


def _voi(file: Any, values: np.ndarray) -> np.ndarray:
    if file.get("VOILUTSequence", None):
        return look_up(file, file.VOILUTSequence[0], values)
    center, width = _first(file.get("WindowCenter", None)), _first(file.get("WindowWidth", None))
    if center is None and width is None:
        return values
    if center is None or width is None or not (np.isfinite(center) and np.isfinite(width)):
        raise ValueError(f"its window has the centre {center} and the width {width}")
    function = str(file.get("VOILUTFunction", None) or "LINEAR").upper()
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise ValueError(f"its VOI LUT Function is {function!r}; expected LINEAR, LINEAR_EXACT or SIGMOID")
    if width <= 0 or (function == "LINEAR" and width < 1):
        raise ValueError(f"its window has the width {width}, which {function} does not allow")
    highest = float((1 << int(file.BitsStored)) - 1)
    distance = values - center
    if function == "SIGMOID":
        with np.errstate(over="ignore"):  # of exp, where the level is 0
            return highest / (1 + np.exp(-4 * distance / width))
    if function == "LINEAR":
        distance, width = distance + 0.5, width - 1
    if width == 0:
        return np.where(distance > 0, highest, 0.0)
    return np.clip(distance / width + 0.5, 0, 1) * highest


def _first(value: Any) -> float | None:
    """Of a number, or of several."""
    if value is None or value == "":
        return None
    return float(value[0] if hasattr(value, "__iter__") and not isinstance(value, str) else value)


def _inverted(file: Any, levels: np.ndarray) -> np.ndarray:
    if levels.dtype.kind == "f":
        return levels.max() + levels.min() - levels
    if levels.dtype.kind == "i":
        return -1 - levels
    highest = max((1 << int(file.BitsStored)) - 1, int(levels.max()))  # a LUT may give more bits
    return np.array(highest, levels.dtype) - levels


def _colours(file: Any, cells: np.ndarray, photometric: str) -> np.ndarray:
    """(H, W, 3)."""
    if photometric == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        return apply_color_lut(cells, file)[..., :3]
    if cells.ndim != 3 or cells.shape[2] != 3 or int(file.get("PixelRepresentation", 0)) or cells.dtype.kind != "u":
        raise ValueError(f"it is RGB, and its pixels are an array of shape {cells.shape}")
    return cells

