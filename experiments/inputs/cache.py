"""Preprocessed images on disk: one file for each, whole or not there, named by all that decides on its content."""
from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np

from experiments.datasets.mammogram import Mammogram
from experiments.inputs.preprocessing import Prepared, Preprocessing, preprocess
from experiments.system.durations import seconds_of
from experiments.system.files import write_bytes

VERSION = 2  # of reading, of preprocessing and of the cache's files: to be raised when either changes
DIGEST_BYTES = 32
SAMPLES = 3  # images that are prepared to know what one takes; they stay in the cache


@dataclass(frozen=True, slots=True)
class Head:
    """What a cache file begins with: the digest of what follows, and whether the annotation was lost."""

    digest: bytes
    lost: bool


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One prepared image on disk: digest (32 bytes), lost (1 byte), image (float32), mask (uint8)."""

    mammogram: Mammogram
    preprocessing: Preprocessing
    cache: Path

    @property
    def path(self) -> Path:
        key = f"{VERSION}|{asdict(self.preprocessing)}|{self.mammogram.fingerprint}"
        return self.cache / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.prepared"

    @property
    def size(self) -> int:
        return DIGEST_BYTES + 1 + 5 * self.preprocessing.side**2

    def is_there(self) -> bool:
        try:
            return self.path.stat().st_size == self.size
        except FileNotFoundError:
            return False

    def head(self) -> Head:
        with open(self.path, "rb") as file:
            content = file.read(DIGEST_BYTES + 1)
        return Head(content[:DIGEST_BYTES], content[DIGEST_BYTES:] == b"\1")

    def read(self) -> Prepared:
        """From the cache; where the file was damaged or removed meanwhile, it is made again."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            content = b""
        if len(content) != self.size or _digest(content[DIGEST_BYTES:]) != content[:DIGEST_BYTES]:
            self.build()
            content = self.path.read_bytes()
        side, start = self.preprocessing.side, DIGEST_BYTES + 1
        image = np.frombuffer(content, np.float32, count=side * side, offset=start).reshape(side, side)
        mask = np.frombuffer(content, np.bool_, offset=start + image.nbytes).reshape(side, side)
        return Prepared(image, mask, lost=content[DIGEST_BYTES : DIGEST_BYTES + 1] == b"\1")

    def build(self) -> None:
        """Preprocesses the mammogram and writes the file, whole or not at all."""
        image, mask = self.mammogram.load()
        prepared = preprocess(image, mask, self.preprocessing, self.mammogram.name)
        content = bytes([prepared.lost]) + prepared.image.tobytes() + prepared.mask.tobytes()
        write_bytes(self.path, _digest(content) + content)


def missing_entries(mammograms: Sequence[Mammogram], preprocessing: Preprocessing, cache: Path) -> list[CacheEntry]:
    """What the cache lacks."""
    entries = (CacheEntry(mammogram, preprocessing, cache) for mammogram in mammograms)
    return [entry for entry in entries if not entry.is_there()]


def preparing(missing: Sequence[CacheEntry], workers: int) -> float:
    """Of those images: a few of them are prepared, and `workers` processes make the others."""
    if not missing:
        return 0.0
    chosen = [missing[place] for place in np.linspace(0, len(missing) - 1, min(SAMPLES, len(missing))).astype(int)]
    taken = median([seconds_of(entry.build) for entry in chosen])
    return taken * (len(missing) - len(chosen)) / min(workers, os.cpu_count() or 1)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()
