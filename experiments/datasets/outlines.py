"""Outlines that somebody drew on an image, and the mask that they fill.

Coordinates are pixels of the image, x to the right and y down, whole numbers in the centres of pixels. An outline marks
all pixels on it and inside it; what of it reaches beyond the image's border is cut off there. One that marks no pixel
of the image belongs to another image, or to another size of it, and is refused.

A point, as it is set on a single calcification, marks its pixel and the eight around it: about 0.2 mm where a pixel is
0.07 mm wide, as large as such a calcification. A lone pixel would hardly ever be among those that are kept when the
mask is made smaller.
"""
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from skimage import draw

from experiments.system.errors import Failure

LARGEST = 100_000  # pixels: beyond it, a number is no place on a mammogram


@dataclass(frozen=True, slots=True)
class Polygon:
    """points: (x, y), ... in their order; the last is joined to the first. place: file and line, for messages."""

    points: tuple[tuple[float, float], ...]
    place: str = field(repr=False, default="")

    def fill(self, mask: np.ndarray) -> bool:
        """Sets its pixels in (H, W) bool; whether there are any. What it encloses twice, crossing itself, is outside.

        Row by row: a pixel is inside where an odd number of edges has been crossed on the way to it from the left.
        skimage.draw.polygon does the same for each pixel and edge, which takes half a minute for a large outline.
        """
        x, y = np.array(self.points).T
        top, left = (max(math.ceil(values.min()), 0) for values in (y, x))
        crossed = np.zeros([max(min(math.floor(values.max()) + 1, size) - start, 0) + 1
                            for values, size, start in zip((y, x), mask.shape, (top, left), strict=True)], np.int32)
        border = []
        for (x0, y0), (x1, y1) in zip(self.points, (*self.points[1:], self.points[0]), strict=True):
            border.append(draw.line(*(math.floor(each + 0.5) for each in (y0, x0, y1, x1))))
            rows = np.arange(max(math.ceil(min(y0, y1)), top), min(math.ceil(max(y0, y1)), mask.shape[0]))
            if rows.size:
                columns = np.ceil(x0 + (rows - y0) * ((x1 - x0) / (y1 - y0))).astype(np.int64) - left
                crossed[rows - top, columns.clip(0, crossed.shape[1] - 1)] += 1  # one edge crosses a row once
        inside = np.cumsum(crossed, axis=1)[:-1, :-1] % 2 > 0
        mask[top : top + inside.shape[0], left : left + inside.shape[1]] |= inside
        rows, columns = map(np.concatenate, zip(*border, strict=True))
        return _mark(mask, rows, columns) or bool(inside.any())


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Centre (x, y) and half axes across and along, in pixels, turned by `angle` in radians, from x towards y. None is
    narrower than a pixel."""

    x: float
    y: float
    across: float
    along: float
    angle: float = 0.0
    place: str = field(repr=False, default="")

    def fill(self, mask: np.ndarray) -> bool:
        """Sets its pixels, that of its centre always among them, in (H, W) bool; whether there are any."""
        across, along = max(self.across, 0.5), max(self.along, 0.5)
        reach = max(across, along)
        window = tuple(slice(max(math.floor(centre - reach), 0), max(math.ceil(centre + reach) + 1, 0))
                       for centre in (self.y, self.x))
        part = mask[window]
        down = window[0].start + np.arange(part.shape[0])[:, None] - self.y
        right = window[1].start + np.arange(part.shape[1])[None, :] - self.x
        u = right * math.cos(self.angle) + down * math.sin(self.angle)
        v = down * math.cos(self.angle) - right * math.sin(self.angle)
        inside = (u * along) ** 2 + (v * across) ** 2 <= (across * along) ** 2
        part |= inside
        return _mark(mask, *_pixel(self.x, self.y)) or bool(inside.any())


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    place: str = field(repr=False, default="")

    def fill(self, mask: np.ndarray) -> bool:
        """Sets its pixel and the eight around it in (H, W) bool; whether its own lies there."""
        row, column = _pixel(self.x, self.y)
        if not _mark(mask, row, column):
            return False
        mask[max(row[0] - 1, 0) : row[0] + 2, max(column[0] - 1, 0) : column[0] + 2] = True
        return True


Outline = Polygon | Ellipse | Point


def filled(outlines: Sequence[Outline], shape: tuple[int, ...], image: str) -> np.ndarray:
    """(H, W) bool: the union of the outlines. Raises `Failure`, naming image, file and line, for one outside of it."""
    mask = np.zeros(shape, dtype=bool)
    for outline in outlines:
        if not outline.fill(mask):
            raise Failure(f"{outline.place}: the outline lies outside of its image {image} of {shape[1]} x {shape[0]} "
                          "pixels (width x height). Was the image cropped or made smaller?")
    return mask


def digest(outlines: Sequence[Outline]) -> str:
    """A text that changes when one of them does, wherever in its file it stands."""
    return hashlib.sha256(repr(tuple(outlines)).encode()).hexdigest()[:32]


def coordinate(value: object, place: str) -> float:
    """Raises `Failure`, naming the place, for what is no finite number of at most LARGEST."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:  # not so for NaN
        return float(value)
    raise Failure(f"{place}: {str(value)[:40]!r} is no coordinate; expected a number of pixels")


def _pixel(x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the pixel in which a place lies."""
    return np.array([math.floor(y + 0.5)]), np.array([math.floor(x + 0.5)])


def _mark(mask: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> bool:
    """Whether any of the pixels lie in the mask; those that do are set."""
    inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    mask[rows[inside], columns[inside]] = True
    return bool(inside.any())
