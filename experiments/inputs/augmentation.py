"""Augmentation while training (4.1): random horizontal flips and rotations within +-5 degrees."""
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 14  # pixels moved at once: their coordinates, places and values stay in a processor's cache


def augment(images: np.ndarray, masks: np.ndarray | None, generator: np.random.Generator, max_degrees: float = 5
            ) -> tuple[np.ndarray, np.ndarray | None]:
    """New arrays of images (N, H, W, C) and masks (N, H, W, C') or None, both float32; each image with its own draw.

    An image is mirrored with probability 1/2, then rotated about its centre by an angle drawn uniformly; bilinear for
    images, nearest for masks. What comes in from outside continues the edge pixels, as tissue does at the chest wall.
    The same state of the generator gives the same bits.
    """
    return move(images, masks, draw(len(images), generator, max_degrees))


@dataclass(frozen=True)
class Motions:
    """For each of some images: mirrored (N,) bool, degrees (N,) of its rotation."""

    mirrored: np.ndarray
    degrees: np.ndarray

    def of(self, rows: slice) -> "Motions":
        return Motions(self.mirrored[rows], self.degrees[rows])


def draw(images: int, generator: np.random.Generator, max_degrees: float) -> Motions:
    """What happens to so many images."""
    return Motions(generator.random(images) < 0.5, generator.uniform(-max_degrees, max_degrees, size=images))


def move(images: np.ndarray, masks: np.ndarray | None, motions: Motions) -> tuple[np.ndarray, np.ndarray | None]:
    """As `augment`, by motions that were drawn for these images."""
    moved = np.empty_like(images)
    moved_masks = None if masks is None else np.empty_like(masks)
    for index, angle in enumerate(np.deg2rad(motions.degrees)):
        for block in _blocks(images.shape[1], images.shape[2], angle, motions.mirrored[index]):
            moved[index, block.rows] = _bilinear(images[index], block)
            if masks is not None and moved_masks is not None:
                moved_masks[index, block.rows] = _nearest(masks[index], block)
    return moved, moved_masks


@dataclass(frozen=True)
class _Block:
    """Some rows of a moved image (H, W), and for each of their pixels where it comes from: a point inside the image.

    places       (B, W) integers, row * W + column of the pixel above and to the left of that point
    down, right  (B, W, 1) float32 in [0, 1), how far the point lies from there
    """

    rows: slice
    places: np.ndarray
    down: np.ndarray
    right: np.ndarray


def _blocks(height: int, width: int, angle: float, mirrored: bool) -> Iterator[_Block]:
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    y, x = np.arange(height)[:, None] - centre_y, np.arange(width) - centre_x
    cosine, sine = np.cos(angle), np.sin(angle)
    side = -1 if mirrored else 1
    step = max(1, BLOCK // width)
    for start in range(0, height, step):
        block = slice(start, min(start + step, height))
        down = (cosine * y[block] + centre_y) - sine * x  # float64: a coordinate's error would be the edges' error
        right = side * sine * y[block] + (side * cosine * x + centre_x)
        np.clip(down, 0, height - 1, out=down)
        np.clip(right, 0, width - 1, out=right)
        top, left = np.floor(down), np.floor(right)
        down -= top
        right -= left
        top *= width
        top += left
        # to 64-bit integers by way of 32 bits: twice as fast as at once
        yield _Block(block, top.astype(np.int32).astype(np.intp), *(
            part.astype(np.float32)[..., None] for part in (down, right)))


def _bilinear(image: np.ndarray, block: _Block) -> np.ndarray:
    """(B, W, C) of image (H, W, C)."""
    width = image.shape[1]
    upper, upper_right, lower, lower_right = (
        _take(image, block.places, offset) for offset in (0, 1, width, width + 1))
    _approach(upper, upper_right, block.right)
    _approach(lower, lower_right, block.right)
    _approach(upper, lower, block.down)
    return upper


def _approach(start: np.ndarray, end: np.ndarray, part: np.ndarray) -> None:
    """start becomes start + part (end - start); end is used up."""
    end -= start
    end *= part
    start += end


def _nearest(mask: np.ndarray, block: _Block) -> np.ndarray:
    """(B, W, C) of mask (H, W, C)."""
    down, right = (part[..., 0] >= 0.5 for part in (block.down, block.right))
    return _take(mask, block.places + down * mask.shape[1] + right)


def _take(image: np.ndarray, places: np.ndarray, offset: int = 0) -> np.ndarray:
    """(B, W, C): the pixels of image (H, W, C) at places + offset.

    Beside the last column or below the last row there is none: any is taken, for there the weight is 0.
    """
    pixels = image.reshape(-1, image.shape[2])
    return np.take(pixels[min(offset, len(pixels) - 1):], places, axis=0, mode="clip")
