"""From stored numbers to brightness, in the standard's order (PS3.3 C.7.6.3, C.11.1, C.11.2, C.11.6; PS3.4 N.2).

    cells -> stored values -> modality LUT or rescale -> VOI LUT or window -> inversion; what is hidden is the darkest

Cells: the bits BitsStored below HighBit, signed where PixelRepresentation says so; the other bits, in which old files
keep overlays, are no part of the value. Overlay planes are graphics beside the picture and are not drawn into it.
A modality LUT is taken before a rescale, a VOI LUT before a window, of several VOI LUTs or windows the first.
MONOCHROME1 and PresentationLUTShape INVERSE both say that the lowest value is to be shown white: mammograms carry both
(C.8.11.3.1.2), and are inverted once, as those that carry one of them are, whatever the other says. Padding, and what a
shutter covers, is set to the darkest of the rest when all that is done. RealWorldValueMappingSequence and what else is
not for showing: see `refused`.
"""
from typing import Any

import numpy as np

from experiments.datasets.images.colours import luma
from experiments.datasets.images.dicom.colours import COLOURS, colours
from experiments.datasets.images.dicom.groups import lift_groups
from experiments.datasets.images.dicom.hidden import hidden
from experiments.datasets.images.dicom.refused import require_known_brightness
from experiments.datasets.images.dicom.tables import look_up


def brightness(file: Any, cells: np.ndarray, as_mask: bool = False) -> np.ndarray:
    """(H, W) from the stored cells, (H, W) or (H, W, 3): integers where no header asks for more, else float64.

    as_mask: which levels a viewer would tell apart does not matter: no VOI LUT or window, and the brightest of colours.
    Raises ValueError, saying what it found, for what the standard does not define.
    """
    photometric, values = str(file.PhotometricInterpretation), _stored_values(file, cells)
    if photometric in COLOURS:
        shown = colours(file, values, photometric)
        return shown.max(axis=2) if as_mask else luma(shown)
    if cells.ndim != 2:
        raise ValueError(f"it is {photometric} and has {cells.shape[-1]} numbers a pixel")
    require_known_brightness(file)
    lift_groups(file)
    levels = _modality(file, values)
    if not as_mask:
        levels = _voi(file, levels)
    if photometric == "MONOCHROME1" or str(file.get("PresentationLUTShape", None)) == "INVERSE":
        levels = _inverted(file, levels)
    unseen = hidden(file, cells, values)
    return levels if unseen is None else np.where(unseen, levels[~unseen].min(), levels)


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
    highest = float((1 << int(file.get("BitsStored", 1))) - 1)  # floating numbers have no such bits
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
    highest = max((1 << int(file.BitsStored)) - 1, int(levels.max()))  # a LUT may give more bits, or fewer
    return np.array(min(highest, np.iinfo(levels.dtype).max), levels.dtype) - levels
