"""The square of a mammogram that the networks see, and the way back from what they say of it."""
from __future__ import annotations

import numpy as np

from experiments.system.errors import Failure


def breast_square(levels: np.ndarray, name: str) -> tuple[slice, slice]:
    """The part of an image (H, W) of any real dtype that `preprocess` uses: `square_around_mass`.

    Raises `Failure`, naming the image, where all pixels are equal or their levels cannot be grey levels.
    """
    refuse_constant(levels, name)
    if not np.isfinite(spread(levels)):
        raise Failure(f"{name}: its levels reach from {levels.min():g} to {levels.max():g}, which cannot be grey "
                      "levels")
    crop = square_around_mass(levels)
    refuse_constant(levels[crop], f"{name}, cropped to the square around its centre of mass")
    return crop


def square_around_mass(levels: np.ndarray) -> tuple[slice, slice]:
    """The square of side min(H, W) whose centre is nearest to the centre of mass of levels (H, W) of any real dtype.

    The darkest level weighs nothing. Whole numbers are summed exactly, in the memory of a row and a column.
    """
    side = min(levels.shape)
    corner = [int(np.clip(round(_centre(levels, axis) + 0.5 - side / 2), 0, length - side))
              for axis, length in enumerate(levels.shape)]
    return slice(corner[0], corner[0] + side), slice(corner[1], corner[1] + side)


def _centre(levels: np.ndarray, axis: int) -> float:
    """Of mass along an axis, in pixels from the first one's centre; the middle where all levels are equal."""
    whole = levels.dtype.kind in "iu"
    if not whole and spread(levels):
        levels = (levels - np.float64(levels.min())) / spread(levels)  # sums of the largest floats would overflow
    sums = levels.sum(axis=1 - axis, dtype=np.int64 if whole else np.float64).tolist()
    darkest = levels.min().item() * levels.shape[1 - axis]
    masses = [total - darkest for total in sums]
    mass = sum(masses)
    return sum(place * each for place, each in enumerate(masses)) / mass if mass else (len(masses) - 1) / 2


def enlarge_mask(mask: np.ndarray, crop: tuple[slice, slice], shape: tuple[int, int]) -> np.ndarray:
    """The way back: (side, side) bool, made of the square `crop` of an image (H, W) -> bool of that shape.

    A pixel of the image has the value of the network's pixel in which its centre lies; outside the square, which the
    network has not seen, it is False.
    """
    size = crop[0].stop - crop[0].start
    nearest = (2 * np.arange(size) + 1) * len(mask) // (2 * size)
    whole = np.zeros(shape, bool)
    whole[crop] = mask[np.ix_(nearest, nearest)]
    return whole


def spread(levels: np.ndarray) -> float:
    return float(levels.max()) - float(levels.min())


def refuse_constant(levels: np.ndarray, name: str) -> None:
    if levels.min() == levels.max():
        raise Failure(f"{name}: there is no breast in it: all pixels are {levels.min():g}")
