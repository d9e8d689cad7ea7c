"""What TensorBoard shows of a training: its losses, rates, evaluations, its layers' histograms, pictures of samples."""
from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

from experiments.runs.folder import RunFolder
from experiments.runs.histograms import LayerSamples
from experiments.runs.log import Entry
from experiments.system.event_cutting import cut
from experiments.system.event_files import append, histogram, image, scalar

Picture = Callable[[], np.ndarray]  # (H, W, 3) uint8, as samples look by now
BORDER = (86, 180, 233)  # light blue
SIDE, GAP = 128, 4  # pixels of a sample, at least, and between two of them
SAMPLES = 6  # in a picture


class Board:
    """The file of events in a run's folder, from step `start` on: what was written of later ones is dropped.

    In that of a run which had none until now stands first what metrics.jsonl holds. picture: called with every
    evaluation. Raises Failure where the file cannot be written.
    """

    def __init__(self, folder: RunFolder, start: int, picture: Picture) -> None:
        self._folder, self._picture = folder, picture
        if folder.events.exists():
            with folder.writing(folder.events):
                cut(folder.events, start)
        else:
            for entry in folder.history():
                self._append(entry.step, _scalars(entry))

    def entry(self, entry: Entry) -> None:
        """A line of metrics.jsonl; with an evaluation goes a picture."""
        shown = [] if entry.evaluation is None else [_image(self._picture())]
        self._append(entry.step, [*_scalars(entry), *shown])

    def layers(self, step: int, samples: LayerSamples) -> None:
        self._append(step, [histogram(f"{kind}/{path}", values) for kind, found in (
            ("parameters", samples.parameters), ("gradients", samples.gradients), ("activations", samples.activations))
            for path, values in found.items()])

    def _append(self, step: int, values: list[bytes]) -> None:
        with self._folder.writing(self._folder.events):
            append(self._folder.events, step, values)


def samples_picture(images: np.ndarray, masks: np.ndarray, others: Sequence[np.ndarray] = ()) -> np.ndarray:
    """(H, W, 3) uint8: a column for each image (n, side, side), from 0 to 1, with the border of its mask, bool, in
    light blue; below it with the same border what else there is to show of it, (n, side, side) from 0 to 1 each."""
    edges = np.stack([mask & ~binary_erosion(mask) for mask in masks])
    times = -(-SIDE // images.shape[1])
    side = times * images.shape[1] + GAP
    picture = np.full((side * (1 + len(others)), side * len(images), 3), 255, np.uint8)
    for place, row in enumerate((images, *others)):
        tiles = np.repeat(np.round(255 * np.clip(row, 0, 1)).astype(np.uint8)[..., None], 3, axis=-1)
        tiles[edges] = BORDER
        for column, tile in enumerate(tiles.repeat(times, axis=1).repeat(times, axis=2)):
            picture[place * side:][:len(tile), column * side:][:, :len(tile)] = tile
    return picture[:-GAP, :-GAP]


def spread_over(indices: np.ndarray, count: int = SAMPLES) -> np.ndarray:
    """At most so many of them, evenly spread."""
    return indices[np.unique(np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int))]


def _scalars(entry: Entry) -> list[bytes]:
    named = {"training/loss": entry.loss, "training/learning_rate": entry.learning_rate}
    for split, measures in (entry.evaluation or {}).items():
        named |= {f"{split}/{name}": value for name, value in measures.items()}
    return [scalar(tag, value) for tag, value in named.items() if value is not None]


def _image(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="png")
    return image("samples", buffer.getvalue(), *pixels.shape[:2])
