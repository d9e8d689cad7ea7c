"""Preprocessing of section 4.1: crop, resize, CLAHE, and the network's input size."""
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage, sparse
from skimage.exposure import equalize_adapthist

from experiments.errors import Failure, UsageError

REGIONS = 8  # CLAHE's contextual regions along each side
LARGEST_SIDE = 8192  # twice the longer side of a digital mammogram; CLAHE takes some 70 bytes a pixel, here 5 GB


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """side: of the network's input, in pixels; working_side: at which contrast is enhanced; clip_limit: of CLAHE.

    The thesis's are 128, 1024 and 0.02. Raises `UsageError` for sides that do not fit together.
    """

    side: int = 128
    working_side: int = 1024
    clip_limit: float = 0.02

    def __post_init__(self) -> None:
        if not 1 <= self.side <= self.working_side or self.working_side % REGIONS:
            raise UsageError(f"side {self.side}, working side {self.working_side}: expected 1 <= side <= working side, "
                             f"the latter divisible by {REGIONS} for CLAHE's {REGIONS} x {REGIONS} regions")
        if self.working_side > LARGEST_SIDE:
            raise UsageError(f"--working-side {self.working_side}: expected at most {LARGEST_SIDE}; to enhance the "
                             f"contrast of such an image would take {70 * self.working_side**2 / 1e9:.0f} GB of "
                             "memory, and no mammogram has so many pixels")
        if not 0 < self.clip_limit <= 1:
            raise UsageError(f"clip limit {self.clip_limit}: expected a number above 0 and up to 1")


@dataclass(frozen=True, slots=True)
class Prepared:
    """image (side, side) float32 in [0, 1]; mask (side, side) bool; lost: the crop left nothing of the annotation."""

    image: np.ndarray
    mask: np.ndarray
    lost: bool


def preprocess(image: np.ndarray, mask: np.ndarray | None, settings: Preprocessing, name: str) -> Prepared:
    """image (H, W) of any real dtype, mask (H, W) bool or None (nothing annotated) as the network gets them.

    A square of side min(H, W), centred on the centre of mass as far as it fits into the image; resized bilinearly to
    the working side; scaled to [0, 1]; CLAHE with 8 x 8 regions; [0, 1] again; averaged over areas to the side. The
    mask goes the same way, nearest at the working side; at the network's side a pixel belongs to it where at least
    half of its area does. However small the network's side, an annotation that is inside the crop keeps one pixel.

    Raises `Failure`, naming the image, where all pixels are equal, the mask has another size, the levels cannot be
    scaled, or the memory does not do.
    """
    try:
        return _preprocess(image, mask, settings, name)
    except MemoryError as error:
        raise Failure(f"{name}: the memory does not do for its {_size(image)} pixels at the working side "
                      f"{settings.working_side}. Fewer --workers or a smaller --working-side need less") from error


def _preprocess(image: np.ndarray, mask: np.ndarray | None, settings: Preprocessing, name: str) -> Prepared:
    if mask is not None and mask.shape != image.shape:
        raise Failure(f"{name}: the image has {_size(image)} pixels and its mask {_size(mask)} (width x height); "
                      "a mask must have the size of its image")
    crop = breast_square(image, name)
    working = _resize_bilinear(_float32(image[crop]), settings.working_side)
    _refuse_constant(working, f"{name}, resized to {settings.working_side} pixels a side")  # too faint for float32
    working = _scale(working)
    region = settings.working_side // REGIONS
    enhanced = _scale(equalize_adapthist(working, kernel_size=region, clip_limit=settings.clip_limit))
    small = area_mean(enhanced, settings.side)
    if mask is None or not mask.any():
        return Prepared(small, np.zeros(small.shape, dtype=bool), lost=False)
    return Prepared(small, shrink_mask(mask[crop], settings), lost=not mask[crop].any())


def breast_square(levels: np.ndarray, name: str) -> tuple[slice, slice]:
    """The part of an image (H, W) of any real dtype that `preprocess` uses: `square_around_mass`.

    Raises `Failure`, naming the image, where all pixels are equal or their levels cannot be grey levels.
    """
    _refuse_constant(levels, name)
    if not np.isfinite(_spread(levels)):
        raise Failure(f"{name}: its levels reach from {levels.min():g} to {levels.max():g}, which cannot be grey "
                      "levels")
    crop = square_around_mass(levels)
    _refuse_constant(levels[crop], f"{name}, cropped to the square around its centre of mass")
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
    if not whole and _spread(levels):
        levels = (levels - np.float64(levels.min())) / _spread(levels)  # sums of the largest floats would overflow
    sums = levels.sum(axis=1 - axis, dtype=np.int64 if whole else np.float64).tolist()
    darkest = levels.min().item() * levels.shape[1 - axis]
    masses = [total - darkest for total in sums]
    mass = sum(masses)
    return sum(place * each for place, each in enumerate(masses)) / mass if mass else (len(masses) - 1) / 2


def shrink_mask(mask: np.ndarray, settings: Preprocessing) -> np.ndarray:
    """(S, S) bool -> (side, side) bool by way of the working side."""
    nearest = (2 * np.arange(settings.working_side) + 1) * len(mask) // (2 * settings.working_side)
    working = _keep_one_pixel(mask[np.ix_(nearest, nearest)], mask)
    return _keep_one_pixel(area_mean(working, settings.side) >= 0.5, working)


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


def area_mean(image: np.ndarray, side: int) -> np.ndarray:
    """(S, S) -> (side, side) float32, side <= S: the mean over the area of each new pixel, whatever the ratio."""
    step = len(image) / side
    left, new = np.arange(len(image)), np.arange(side)[:, None]
    overlap = np.minimum(left + 1, (new + 1) * step) - np.maximum(left, new * step)
    # sparse, since a product by the BLAS may round differently with another number of threads
    weights = sparse.csr_array(np.clip(overlap, 0, None) / step)
    return (weights @ (weights @ image.astype(np.float64)).T).T.astype(np.float32)


def _keep_one_pixel(small: np.ndarray, large: np.ndarray) -> np.ndarray:
    """`small`, and where a mask that is not empty has vanished, the pixel in which its centre of mass lies."""
    if large.any() and not small.any():
        row, column = ((np.array(ndimage.center_of_mass(large)) + 0.5) * len(small) / len(large)).astype(int)
        small[row, column] = True
    return small


def _resize_bilinear(image: np.ndarray, side: int) -> np.ndarray:
    """Bilinear; when it reduces, the triangle is widened accordingly, so that no pixel is passed over."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize((side, side), Image.Resampling.BILINEAR))


def _spread(levels: np.ndarray) -> float:
    return float(levels.max()) - float(levels.min())


def _float32(levels: np.ndarray) -> np.ndarray:
    """The levels as they are if float32 holds them exactly, else scaled to [0, 1]: two of them may differ by less than
    float32 can tell, or be larger than it can hold.
    """
    with np.errstate(over="ignore"):
        narrow = levels.astype(np.float32)
        if levels.dtype.itemsize <= 2 or ((narrow == levels).all() and np.isfinite(narrow.max() - narrow.min())):
            return narrow
    return ((levels - np.float64(levels.min())) / _spread(levels)).astype(np.float32)


def _scale(image: np.ndarray) -> np.ndarray:
    lowest, highest = image.min(), image.max()
    return (image - lowest) / (highest - lowest)


def _refuse_constant(levels: np.ndarray, name: str) -> None:
    if levels.min() == levels.max():
        raise Failure(f"{name}: there is no breast in it: all pixels are {levels.min():g}")


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
