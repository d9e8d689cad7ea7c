"""4.4: how many of the five fixed ROI detectors mark each pixel, the heat map of (4.2), kept in the cache."""
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import to_numpy
from engine.layer import Layer
from experiments.detectors.network import masks
from experiments.inputs.image_set import PreparedSet
from experiments.system.files import write_bytes
from experiments.system.progress import bar

DIGEST_BYTES = 32
BATCH = 32  # images that go through the detectors at once, always the same ones: so the bits do not depend on a resume


@dataclass(frozen=True, slots=True)
class Detectors:
    """ROI detectors that are trained no further. A pixel is marked where an output is above the threshold."""

    networks: Sequence[Layer]
    threshold: float

    def marks(self, images: np.ndarray) -> np.ndarray:
        """Y_ROI-1 ... Y_ROI-5: (detectors, n, side, side) bool for images (n, side, side, 1)."""
        return np.stack([masks(network, images, self.threshold)[..., 0] for network in self.networks])

    def heat_map(self, images: np.ndarray) -> np.ndarray:
        """Y_ROI-1 + ... + Y_ROI-5 of (4.2): (n, side, side) uint8 for images (n, side, side, 1)."""
        return self.marks(images).sum(axis=0, dtype=np.uint8)

    @property
    def digest(self) -> str:
        """Of all parameters and moving averages, as hex: other detectors have another."""
        return digest_of(self.networks)


def digest_of(networks: Sequence[Layer]) -> str:
    """Of all parameters and moving averages of the networks, in their order, as hex."""
    total = hashlib.sha256()
    for network in networks:
        for path, array in sorted((network.parameters() | network.moving_averages()).items()):
            total.update(f"{path}{array.shape}{array.dtype}".encode() + to_numpy(array).tobytes())
    return total.hexdigest()


def heat_maps(detectors: Detectors, prepared: PreparedSet, cache: Path) -> np.ndarray:
    """(N, side, side) uint8, read-only: the heat map of every image, computed where the cache lacks it.

    The cache has a file for each block of images: whole or not there, and named by the images, the detectors and the
    threshold that alone decide on its content. So commands that share it need not know of each other: what one reads is
    whole, what both compute is the same, and one that was interrupted goes on. In memory they are a byte a pixel, a
    fifth of the prepared images' bytes. Raises `Failure` where the cache cannot be written.
    """
    key = f"{prepared.fingerprint}|{detectors.digest}|{detectors.threshold}"
    images = range(len(prepared))
    blocks = [HeatBlock(key, images[start:start + BATCH], prepared.side, cache) for start in images[::BATCH]]
    missing = sum(len(block.images) for block in blocks if not block.path.exists())
    maps = np.empty((len(prepared), prepared.side, prepared.side), np.uint8)
    with bar(missing, "Detecting", "image") as shown:
        for block in blocks:
            kept = block.read()
            if kept is None:
                kept = detectors.heat_map(prepared.images(block.images))
                block.write(kept)
                shown.update(len(block.images))
            maps[block.images.start:block.images.stop] = kept
    maps.flags.writeable = False
    return maps


@dataclass(frozen=True)
class HeatBlock:
    """The heat maps of some images in a row, on disk: a digest (32 bytes), then the maps.

    key: of all that decides on them, but which images they are.
    """
    key: str
    images: range
    side: int
    cache: Path

    @property
    def path(self) -> Path:
        return self.cache / f"{hashlib.sha256(f'{self.key}|{self.images}'.encode()).hexdigest()[:40]}.heat"

    def read(self) -> np.ndarray | None:
        """(n, side, side) uint8; None where the file is absent or damaged."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        digest, maps = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        shape = (len(self.images), self.side, self.side)
        whole = len(maps) == np.prod(shape) and _digest(maps) == digest
        return np.frombuffer(maps, np.uint8).reshape(shape) if whole else None

    def write(self, maps: np.ndarray) -> None:
        content = maps.tobytes()
        write_bytes(self.path, _digest(content) + content)


def _digest(maps: bytes) -> bytes:
    return hashlib.blake2b(maps, digest_size=DIGEST_BYTES).digest()
