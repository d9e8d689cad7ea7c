"""The one example that goes through all chapters: a 5x5 image, a 3x3 kernel, an upstream gradient.

Small whole numbers, so that every sum can be done by hand; no two rows, columns or mirror images are alike, so that a
mistake in an index shows.
"""
import numpy as np

IMAGE = np.array([[1, 0, 2, 1, 0],
                  [0, 3, 1, 0, 2],
                  [2, 1, 0, 1, 1],
                  [1, 0, 1, 4, 0],
                  [0, 2, 1, 0, 1]], "float64")

KERNEL = np.array([[1, 0, -1],
                   [2, 1, 0],
                   [0, -2, 1]], "float64")

BIAS = 1.0

# dL/dy of the 3x3 outputs that the kernel has inside the image
UPSTREAM = np.array([[1, -1, 0],
                     [0, 2, 1],
                     [3, 0, -2]], "float64")


def as_batch(image: np.ndarray) -> np.ndarray:
    """(H, W) -> (1, H, W, 1), one sample of one channel."""
    return image[None, :, :, None].copy()


def as_kernel(kernel: np.ndarray) -> np.ndarray:
    """(KH, KW) -> (KH, KW, 1, 1), from one channel to one channel."""
    return kernel[:, :, None, None].copy()


def as_image(array: np.ndarray) -> np.ndarray:
    """(1, H, W, 1) or (KH, KW, 1, 1) -> the two axes that are longer than 1, for printing and drawing."""
    return array.reshape(array.shape[1:3] if array.shape[0] == 1 and array.shape[3] == 1 else array.shape[:2])
