"""The data as the network gets them: each image preprocessed once, kept in a cache on disk, read when needed."""
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np

from experiments.datasets import CLASSES, Mammogram
from experiments.datasets.mammogram import FACTS
from experiments.inputs.cache import VERSION, CacheEntry, missing_entries
from experiments.inputs.preprocessing import Preprocessing
from experiments.system.cluster import in_cluster
from experiments.system.errors import Failure
from experiments.system.processes import in_processes
from experiments.system.progress import bar

LOST = "annotation lost: the square crop left nothing of it"


class ImageSet(Protocol):
    """What a classifier learns from: labels (N,) int64, indices into the classes, and images of all of them."""

    labels: np.ndarray
    classes: tuple[str, ...]

    def images(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n, side, side, channels) float32."""


class PreparedSet:
    """Images and masks of one side, in memory only while a batch needs them.

    labels    (N,) int64, indices into `classes`      patients, names, sources, breasts, parts   (N,) str
    facts     name -> (N,) str, "" where the set does not tell; those of `mammogram.FACTS` that it tells of any image
    dropped   reason -> number of images left out     fingerprint                of all that training sees, as hex
    """

    __slots__ = ("_entries", "breasts", "classes", "dropped", "facts", "fingerprint", "labels", "names", "parts",
                 "patients", "side", "sources")

    def __init__(self, mammograms: Sequence[Mammogram], preprocessing: Preprocessing, cache: Path,
                 classes: tuple[str, ...] = CLASSES) -> None:
        entries = [CacheEntry(mammogram, preprocessing, cache) for mammogram in mammograms]
        heads = [entry.head() for entry in entries]
        self._entries = [entry for entry, head in zip(entries, heads, strict=True) if not head.lost]
        kept = [entry.mammogram for entry in self._entries]
        lost = len(entries) - len(kept)
        self.dropped = {LOST: lost} if lost else {}
        self.classes = classes
        self.labels = np.array([classes.index(mammogram.label) for mammogram in kept], dtype=np.int64)
        self.patients = np.array([mammogram.patient for mammogram in kept], dtype=str)
        self.names = np.array([mammogram.name for mammogram in kept], dtype=str)
        self.sources = np.array([mammogram.source for mammogram in kept], dtype=str)
        self.breasts = np.array([mammogram.breast for mammogram in kept], dtype=str)
        self.parts = np.array([mammogram.part for mammogram in kept], dtype=str)
        told = [dict(mammogram.facts) for mammogram in kept]
        self.facts = {name: np.array([each.get(name, "") for each in told], dtype=str)
                      for name in FACTS if any(name in each for each in told)}
        self.side = preprocessing.side
        self.fingerprint = _fingerprint(kept, [head.digest for head in heads if not head.lost], preprocessing)

    def __len__(self) -> int:
        return len(self._entries)

    def images(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n, side, side, 1) float32 in [0, 1]."""
        return np.stack([self._entries[index].read().image for index in indices])[..., None]

    def images_and_masks(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both, each file read once."""
        read = [self._entries[index].read() for index in indices]
        return (np.stack([each.image for each in read])[..., None],
                np.stack([each.mask for each in read])[..., None].astype(np.float32))

    def masks(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n, side, side, 1) float32, 1 on the lesions, 0 elsewhere and where nothing is annotated."""
        return np.stack([self._entries[index].read().mask for index in indices])[..., None].astype(np.float32)


def prepare(mammograms: Sequence[Mammogram], preprocessing: Preprocessing, cache: Path, workers: int = 1,
            progress: bool = True, classes: tuple[str, ...] = CLASSES, scheduler: str | None = None) -> PreparedSet:
    """Preprocesses what the cache lacks, in `workers` processes or, if its address is given, by the workers of a Dask
    scheduler, which share the cache; and opens the set, which depends on neither.

    An image with an annotation of which the crop left nothing is dropped and counted; an abnormal image that nobody
    annotated (mini-MIAS has such) stays, since classification does not need the mask. What is in the cache already is
    not read again. classes: those of the mammograms, in the order that numbers them. Raises `Failure` for images that
    cannot be used, for a full disk and for workers that do not see the cache, and UsageError where no scheduler
    answers; what was prepared until then stays in the cache.
    """
    if not mammograms:
        raise Failure("there are no images to prepare")
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{cache}: the cache folder cannot be created ({error.strerror})") from error
    missing = missing_entries(mammograms, preprocessing, cache)
    with bar(len(missing) if progress else 0, "Preparing", "image") as shown:
        for _ in (in_processes(CacheEntry.build, missing, workers) if scheduler is None else
                  in_cluster(CacheEntry.build, missing, scheduler, cache)):
            shown.update()
    return PreparedSet(mammograms, preprocessing, cache, classes)


def _fingerprint(mammograms: Sequence[Mammogram], digests: Sequence[bytes], preprocessing: Preprocessing) -> str:
    """By content, not by place or time: a copy of the data elsewhere has the same. The source is not in it: training
    does not see it, and where nothing else says it, it is the name of the folder. The part of the set's own split is,
    since it decides what training sees."""
    total = hashlib.sha256(f"{VERSION}|{asdict(preprocessing)}|{len(mammograms)}".encode())
    for mammogram, digest in zip(mammograms, digests, strict=True):
        total.update(repr((mammogram.name, mammogram.patient, mammogram.label)).encode() + digest
                     + mammogram.part.encode())
    return total.hexdigest()
