"""4.4: the mammogram, and as a second channel how many of the five fixed ROI detectors mark each pixel (4.2).

The second channel is the sum as the thesis has it, 0 to 5; it is not scaled to the image's [0, 1].
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.inputs.augmentation import Motions, move
from experiments.inputs.batches import Batches
from experiments.inputs.image_set import PreparedSet


def merge(images: np.ndarray, heat_map: np.ndarray) -> np.ndarray:
    """(4.2): images (n, side, side, 1) and heat map (n, side, side) -> (n, side, side, 2) float32."""
    return np.concatenate([images, heat_map[..., None].astype(np.float32)], axis=-1)


class MergedSet:
    """Prepared images with their heat maps (N, side, side) uint8, merged when a batch needs them."""

    __slots__ = ("_heat_maps", "_prepared", "classes", "labels")

    def __init__(self, prepared: PreparedSet, heat_maps: np.ndarray) -> None:
        self.labels, self.classes = prepared.labels, prepared.classes
        self._prepared, self._heat_maps = prepared, heat_maps

    def images(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n, side, side, 2) float32."""
        return merge(*self.channels(indices))

    def channels(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Images (n, side, side, 1) float32 and heat maps (n, side, side) uint8."""
        return self._prepared.images(indices), self._heat_maps[np.asarray(indices)]


class MergedBatches(Batches):
    """Batches of a MergedSet. Both channels are moved alike: the image bilinear, the counts nearest, so that they stay
    whole as those of the images that nothing moved."""

    __slots__ = ()
    prepared: MergedSet

    def moved(self, indices: np.ndarray, motions: Motions) -> np.ndarray:
        images, heat_maps = self.prepared.channels(indices)
        images, moved = move(images, heat_maps[..., None], motions)
        assert moved is not None
        return merge(images, moved[..., 0])
