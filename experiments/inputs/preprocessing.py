"""Preprocessing of section 4.1: crop, resize, CLAHE, and the network's input size."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage, sparse
from skimage.exposure import equalize_adapthist

from experiments.configuration.training import TrainingConfiguration
from experiments.inputs.crop import breast_square, refuse_constant, spread
from experiments.system.errors import Failure, UsageError

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

    @classmethod
    def of(cls, configuration: TrainingConfiguration) -> Preprocessing:
        return cls(configuration.side, configuration.working_side, configuration.clip_limit)

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
    refuse_constant(working, f"{name}, resized to {settings.working_side} pixels a side")  # too faint for float32
    working = _scale(working)
    region = settings.working_side // REGIONS
    enhanced = _scale(equalize_adapthist(working, kernel_size=region, clip_limit=settings.clip_limit))
    small = area_mean(enhanced, settings.side)
    if mask is None or not mask.any():
        return Prepared(small, np.zeros(small.shape, dtype=bool), lost=False)
    return Prepared(small, shrink_mask(mask[crop], settings), lost=not mask[crop].any())


def shrink_mask(mask: np.ndarray, settings: Preprocessing) -> np.ndarray:
    """(S, S) bool -> (side, side) bool by way of the working side."""
    nearest = (2 * np.arange(settings.working_side) + 1) * len(mask) // (2 * settings.working_side)
    working = _keep_one_pixel(mask[np.ix_(nearest, nearest)], mask)
    return _keep_one_pixel(area_mean(working, settings.side) >= 0.5, working)


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


def _float32(levels: np.ndarray) -> np.ndarray:
    """The levels as they are if float32 holds them exactly, else scaled to [0, 1]: two of them may differ by less than
    float32 can tell, or be larger than it can hold.
    """
    with np.errstate(over="ignore"):
        narrow = levels.astype(np.float32)
        if levels.dtype.itemsize <= 2 or ((narrow == levels).all() and np.isfinite(narrow.max() - narrow.min())):
            return narrow
    return ((levels - np.float64(levels.min())) / spread(levels)).astype(np.float32)


def _scale(image: np.ndarray) -> np.ndarray:
    lowest, highest = image.min(), image.max()
    return (image - lowest) / (highest - lowest)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
