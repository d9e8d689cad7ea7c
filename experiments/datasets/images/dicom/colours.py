"""Colours of DICOM files, RGB or by a palette. What is said of grey levels is not defined for them: refused by name."""
from typing import Any

import numpy as np

from experiments.datasets.images.picture_headers import is_plain

COLOURS = ("RGB", "PALETTE COLOR")
NEUTRAL = {"RescaleSlope": (1,), "RescaleIntercept": (0,), "PresentationLUTShape": ("IDENTITY",)}
OF_GREY = ("ModalityLUTSequence", "VOILUTSequence", "WindowCenter", "PixelPaddingValue", "ShutterShape", *NEUTRAL)
SPACES = ("", "SRGB", "ADOBERGB")  # alike, within the differences of `is_plain`


def colours(file: Any, values: np.ndarray, photometric: str) -> np.ndarray:
    """(H, W, 3) unsigned of the stored values (H, W, 3), or (H, W) of a palette. Raises ValueError, naming what is
    wrong."""
    for name in OF_GREY:
        value = file.get(name, None)
        empty = value is None or (hasattr(value, "__len__") and not len(value))
        if not empty and value not in NEUTRAL.get(name, ()):
            raise ValueError(f"it is {photometric} and has a {name}, which is defined for grey levels")
    if file.get("ICCProfile", None) and not is_plain(bytes(file.ICCProfile)):
        raise ValueError("it has a colour profile (ICCProfile) by which its levels are not those to be shown")
    if str(file.get("ColorSpace", None) or "") not in SPACES:
        raise ValueError(f"its ColorSpace is {file.ColorSpace}; expected SRGB")
    if photometric == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        return apply_color_lut(values, file)[..., :3]
    if values.ndim != 3 or values.shape[2] != 3 or values.dtype.kind != "u":
        raise ValueError(f"it is RGB, and its pixels are an array of shape {values.shape}")
    return values
