"""Pixels that are no part of the picture, to be shown as the darkest: padding, and what a shutter covers.

PixelPaddingValue and its range are of stored values (PS3.3 C.7.5.1.1.2, C.7.6.3.1), a shutter is a rectangle, a circle
or a polygon outside of which nothing is shown, several of them leave what lies inside all (C.7.6.11).
"""
from typing import Any

import numpy as np
from skimage.draw import polygon2mask

RANGES = {"PixelData": "PixelPadding", "FloatPixelData": "FloatPixelPadding",
          "DoubleFloatPixelData": "DoubleFloatPixelPadding"}


def hidden(file: Any, cells: np.ndarray, values: np.ndarray) -> np.ndarray | None:
    """(H, W) bool of the stored cells (H, W) and their values; None where no header speaks of any, and where all would
    be hidden, since then the header is wrong.
    """
    parts = [part for part in (_padding(file, cells, values), _shutter(file, values.shape)) if part is not None]
    if not parts:
        return None
    together = np.logical_or.reduce(parts)
    return together if together.any() and not together.all() else None


def _padding(file: Any, cells: np.ndarray, values: np.ndarray) -> np.ndarray | None:
    stem = next(stem for name, stem in RANGES.items() if name in file)
    first, limit = file.get(f"{stem}Value", None), file.get(f"{stem}RangeLimit", None)
    if first is None:
        return None
    if values.dtype.kind == "f":
        ends = np.array([first, first if limit is None else limit], values.dtype)
    elif limit is None:  # it may be written with the other signedness, or beyond BitsStored
        whole = np.array(int(first) % (1 << 8 * cells.dtype.itemsize)).astype(f"u{cells.dtype.itemsize}")
        return (values == int(first)) | (cells.view(whole.dtype) == whole)
    else:
        ends = np.array([_as_stored(int(number), values.dtype.kind == "i") for number in (first, limit)])
    return (values >= ends.min()) & (values <= ends.max())


def _as_stored(number: int, signed: bool) -> int:
    """A number of 16 bits that may be written with the other signedness."""
    if signed:
        return number - (1 << 16) if number >= 1 << 15 else number
    return number % (1 << 16) if number < 0 else number


def _shutter(file: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Rows and columns are counted from 1 in the header; those on the shutter's edge are shown."""
    kinds = file.get("ShutterShape", None)
    if not kinds:
        return None
    inside = np.ones(shape, bool)
    rows, columns = np.ogrid[1:shape[0] + 1, 1:shape[1] + 1]
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "RECTANGULAR":
            inside &= (rows >= int(file.ShutterUpperHorizontalEdge)) & (rows <= int(file.ShutterLowerHorizontalEdge))
            inside &= (columns >= int(file.ShutterLeftVerticalEdge)) & (columns <= int(file.ShutterRightVerticalEdge))
        elif kind == "CIRCULAR":
            row, column = (int(number) for number in file.CenterOfCircularShutter)
            inside &= (rows - row) ** 2 + (columns - column) ** 2 <= int(file.RadiusOfCircularShutter) ** 2
        elif kind == "POLYGONAL":
            inside &= polygon2mask(shape, np.reshape(file.VerticesOfThePolygonalShutter, (-1, 2)).astype(int) - 1)
        else:
            raise ValueError(f"its ShutterShape is {kind}; expected RECTANGULAR, CIRCULAR or POLYGONAL")
    return ~inside
