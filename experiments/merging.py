"""4.4: the mammogram, and as a second channel how many of the five fixed ROI detectors mark each pixel (4.2).

The second channel is the sum as the thesis has it, 0 to 5; it is not scaled to the image's [0, 1].
"""
from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import to_numpy
from engine.files import PARTIAL
from engine.layer import Layer
from experiments.augmentation import augment
from experiments.detector import masks
from experiments.errors import Failure
from experiments.prepared import PreparedSet
from experiments.progress import bar
from experiments.sampling import Batches

MISSING = 255  # in a file of heat maps, where none was computed yet: more than any number of detectors
BATCH = 32  # images that go through the detectors at once, always the same ones: so the bits do not depend on a resume


@dataclass(frozen=True)
class Detectors:
    """ROI detectors that are trained no further. A pixel is marked where an output is above the threshold."""

    networks: Sequence[Layer]
    threshold: float
    device: str = "cpu"

    def heat_map(self, images: np.ndarray) -> np.ndarray:
        """Y_ROI-1 + ... + Y_ROI-5 of (4.2): (n, side, side) uint8 for images (n, side, side, 1)."""
        total = np.zeros(images.shape[:3], np.uint8)
        for network in self.networks:
            total += masks(network, images, self.threshold, self.device)[..., 0]
        return total

    @property
    def digest(self) -> str:
        """Of all parameters and moving averages, as hex: other detectors have another."""
        total = hashlib.sha256()
        for network in self.networks:
            for path, array in sorted((network.parameters() | network.moving_averages()).items()):
                total.update(f"{path}{array.shape}{array.dtype}".encode() + to_numpy(array).tobytes())
        return total.hexdigest()


def merge(images: np.ndarray, heat_map: np.ndarray) -> np.ndarray:
    """(4.2): images (n, side, side, 1) and heat map (n, side, side) -> (n, side, side, 2) float32."""
    return np.concatenate([images, heat_map[..., None].astype(np.float32)], axis=-1)


class MergedSet:
    """Prepared images with their heat maps (N, side, side) uint8, merged when a batch needs them."""

    def __init__(self, prepared: PreparedSet, heat_maps: np.ndarray) -> None:
        self.labels, self.classes = prepared.labels, prepared.classes
        self._prepared, self._heat_maps = prepared, heat_maps

    def images(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n, side, side, 2) float32."""
        return merge(self._prepared.images(indices), self._heat_maps[np.asarray(indices)])


class MergedBatches(Batches):
    """Batches of a MergedSet. Both channels are moved alike: the image bilinear, the counts nearest, so that they stay
    whole as those of the images that nothing moved."""

    def augmented(self, indices: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        images, counts = (np.ascontiguousarray(channel) for channel in np.split(self.prepared.images(indices), 2, -1))
        images, moved = augment(images, counts, generator, self.max_degrees)
        assert moved is not None
        return np.concatenate([images, moved], axis=-1)


def heat_maps(detectors: Detectors, prepared: PreparedSet, cache: Path) -> np.ndarray:
    """(N, side, side) uint8, read-only and on disk: the heat map of every image, computed where the cache lacks it.

    They lie in one file for each set of images, detectors and threshold; one that was interrupted is continued. Raises
    `Failure` where it cannot be written.
    """
    key = f"{prepared.fingerprint}|{detectors.digest}|{detectors.threshold}|{len(prepared)}"
    path = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.heat"
    shape = (len(prepared), prepared.side, prepared.side)
    try:
        if not path.exists() or path.stat().st_size != np.prod(shape):
            _allocate(path, shape)
        maps = np.memmap(path, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise Failure(f"{path}: the heat maps cannot be kept there ({error.strerror}). Make room, or choose another "
                      "folder with --cache") from error
    blocks = [slice(start, start + BATCH) for start in range(0, len(maps), BATCH)]
    missing = [block for block in blocks if maps[block].max() > len(detectors.networks)]
    with bar(sum(len(maps[block]) for block in missing), "Detecting", "image") as shown:
        for block in missing:
            maps[block] = detectors.heat_map(prepared.images(range(len(maps))[block]))
            shown.update(len(maps[block]))
    maps.flush()
    return np.memmap(path, np.uint8, "r", shape=shape)


def _allocate(path: Path, shape: tuple[int, ...]) -> None:
    """A file of nothing but MISSING, written and not only reserved: a full disk shows here, not in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with open(temporary, "wb") as file:
            for _ in range(shape[0]):
                file.write(bytes([MISSING]) * (shape[1] * shape[2]))
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
