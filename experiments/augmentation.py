"""Augmentation while training (4.1): random horizontal flips and rotations within +-5 degrees."""
from collections.abc import Iterator

import numpy as np

BLOCK = 1 << 14  # pixels moved at once: their coordinates, places and values stay in a processor's cache


def augment(images: np.ndarray, masks: np.ndarray | None, generator: np.random.Generator, max_degrees: float = 5
            ) -> tuple[np.ndarray, np.ndarray | None]:
    """New arrays of images (N, H, W, C) and masks (N, H, W, C') or None, both float32; each image with its own draw.

    An image is mirrored with probability 1/2, then rotated about its centre by an angle drawn uniformly; bilinear for
    images, nearest for masks. What comes in from outside continues the edge pixels, as tissue does at the chest wall.
    The same state of the generator gives the same bits.
    """
    mirrored = generator.random(len(images)) < 0.5
    degrees = generator.uniform(-max_degrees, max_degrees, size=len(images))
    moved = np.empty_like(images)
    moved_masks = None if masks is None else np.empty_like(masks)
    for index, angle in enumerate(np.deg2rad(degrees)):
        for block, rows, columns in _sources(images.shape[1], images.shape[2], angle, mirrored[index]):
            moved[index, block] = _bilinear(images[index], rows, columns)
            if masks is not None and moved_masks is not None:
                moved_masks[index, block] = _nearest(masks[index], rows, columns)
    return moved, moved_masks


def _sources(height: int, width: int, angle: float, mirrored: bool) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Blocks of new rows, and where their pixels come from: row and column (B, W) float64, inside the image."""
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    y, x = np.arange(height)[:, None] - centre_y, np.arange(width) - centre_x
    cosine, sine = np.cos(angle), np.sin(angle)
    side = -1 if mirrored else 1
    step = max(1, BLOCK // width)
    for start in range(0, height, step):
        block = slice(start, min(start + step, height))
        rows = (cosine * y[block] + centre_y) - sine * x
        columns = side * sine * y[block] + (side * cosine * x + centre_x)
        for places, last in ((rows, height - 1), (columns, width - 1)):
            np.maximum(places, 0, out=places)
            np.minimum(places, last, out=places)
        yield block, rows, columns


def _bilinear(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(B, W, C) of image (H, W, C)."""
    width, pixels = image.shape[1], image.reshape(-1, image.shape[2])
    top, left = np.floor(rows), np.floor(columns)
    down, right = ((places - whole).astype(image.dtype)[..., None] for places, whole in ((rows, top), (columns, left)))
    first = _flat(top, left, width)
    # on the last row and column a neighbour lies outside, clipped to any other pixel: its weight is 0
    upper, upper_right, lower, lower_right = (
        np.take(pixels, first + offset, axis=0, mode="clip") for offset in (0, 1, width, width + 1))
    upper += right * (upper_right - upper)
    lower += right * (lower_right - lower)
    return upper + down * (lower - upper)


def _nearest(mask: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(B, W, C) of mask (H, W, C)."""
    places = _flat(np.floor(rows + 0.5), np.floor(columns + 0.5), mask.shape[1])
    return np.take(mask.reshape(-1, mask.shape[2]), places, axis=0, mode="clip")


def _flat(rows: np.ndarray, columns: np.ndarray, width: int) -> np.ndarray:
    return (rows * width + columns).astype(np.intp)
