"""How a detector's answer for one image changes while it learns, kept for Figure A.2."""
from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.system.errors import Failure
from experiments.system.files import write_bytes

NAMES = ("steps", "probabilities", "image", "mask")
# what NumPy raises where a file is none of its own, or no longer
DAMAGES = (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error)


def is_snapshot(step: int, total: int) -> bool:
    """1, 2, 5, 10, 20, 50, ... and the last step: early on a network changes faster."""
    first, rest = str(step)[0], str(step)[1:]
    return step == total or (first in "125" and not rest.strip("0"))


@dataclass(frozen=True, slots=True)
class Evolution:
    """evolution.npz: steps (k,) int64, probabilities (k, side, side) float16, image (side, side) float32 and mask
    (side, side) bool.
    """

    path: Path
    image: np.ndarray
    mask: np.ndarray

    def record(self, step: int, probabilities: np.ndarray) -> None:
        """Append the answer (side, side) at this step, in the place of all that is not earlier: a resumed training
        makes steps again that it had made before it was killed.
        """
        steps, answers = np.empty(0, np.int64), np.empty((0, *self.mask.shape), np.float16)
        if self.path.exists():
            kept = read_evolution(self.path)
            earlier = kept["steps"] < step
            steps, answers = kept["steps"][earlier], kept["probabilities"][earlier]
        content = io.BytesIO()
        np.savez_compressed(content, steps=np.append(steps, step), image=self.image, mask=self.mask,
                            probabilities=np.concatenate([answers, probabilities[None].astype(np.float16)]))
        write_bytes(self.path, content.getvalue())


def read_evolution(path: Path) -> dict[str, np.ndarray]:
    """What `Evolution` wrote. Raises Failure where the file is absent or damaged."""
    try:
        with np.load(path) as arrays:
            return {name: arrays[name] for name in NAMES}
    except DAMAGES as error:
        raise Failure(f"{path} is absent or damaged ({error}). Delete the folder {path.parent}; --resume trains that "
                      "detector anew") from error
