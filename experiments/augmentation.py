"""Augmentation while training (4.1): random horizontal flips and rotations within +-5 degrees."""
import numpy as np
from scipy import ndimage


def augment(images: np.ndarray, masks: np.ndarray | None, generator: np.random.Generator, max_degrees: float = 5
            ) -> tuple[np.ndarray, np.ndarray | None]:
    """New arrays of images (N, H, W, C) and masks (N, H, W, C') or None, both float32; each image with its own draw.

    An image is mirrored with probability 1/2, then rotated about its centre by an angle drawn uniformly; bilinear for
    images, nearest for masks. What comes in from outside continues the edge pixels, as tissue does at the chest wall.
    The same state of the generator gives the same bits.
    """
    mirrored = generator.random(len(images)) < 0.5
    degrees = generator.uniform(-max_degrees, max_degrees, size=len(images))
    moved = _move(images, mirrored, degrees, order=1)
    return moved, None if masks is None else _move(masks, mirrored, degrees, order=0)


def _move(images: np.ndarray, mirrored: np.ndarray, degrees: np.ndarray, order: int) -> np.ndarray:
    moved = np.empty_like(images)
    centre = (np.array(images.shape[1:3]) - 1) / 2
    for index, angle in enumerate(np.deg2rad(degrees)):
        cosine, sine = np.cos(angle), np.sin(angle)
        matrix = np.array([[cosine, -sine], [sine, cosine]])
        if mirrored[index]:
            matrix[1] = -matrix[1]
        for channel in range(images.shape[3]):
            ndimage.affine_transform(images[index, ..., channel], matrix, offset=centre - matrix @ centre, order=order,
                                     mode="nearest", output=moved[index, ..., channel])
    return moved
