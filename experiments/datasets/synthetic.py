"""The synthetic placeholder data (A.1): drawn mammograms with exact masks, each a pure function of (seed, index).

Every woman has two views of one breast (CC and MLO) and one label. All classes share the same tissue, vessels and
diffuse bright areas, and the brightness varies from film to film, so that only the shape of what is in the breast tells
the classes apart: nothing (normal), a smooth round mass (benign), a mass with spicules (cancer).
"""
from __future__ import annotations

if __name__ == "__main__":
    from experiments.system.command import before_imports

    before_imports()

import argparse
import csv
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.datasets.drawing import Canvas, breast, mass, soft_areas, spiculated_mass, tissue, vessels
from experiments.datasets.mammogram import CLASSES, Dataset, Mammogram, Pixels
from experiments.system.argument_types import whole_number
from experiments.system.command import run_command
from experiments.system.command_parser import CommandParser
from experiments.system.errors import UsageError
from experiments.system.progress import over

NAME = "synthetic"  # of the set; also in the CSV file of one that was written as files
VIEWS = ("CC", "MLO")
IMAGES = 2100
HEIGHT = 320
TALLEST = 8192  # of which one image takes about 2 GB to draw
VERSION = 3  # of the drawing: to be raised when it changes, so that no cache keeps older pictures


def dataset(seed: int, images: int = IMAGES, height: int = HEIGHT) -> Dataset:
    """`images` mammograms of height x 0.8 height pixels, the classes in turn, drawn when they are asked for."""
    mammograms = []
    for index in range(images):
        patient = index // len(VIEWS)
        mammograms.append(Mammogram(
            name=f"{index:05d}-{VIEWS[index % len(VIEWS)]}", patient=f"{patient:05d}",
            label=_label(patient), source="synthetic", fingerprint=f"synthetic {VERSION}|{seed}|{index}|{height}",
            load=partial(draw, seed, index, height), breast="right" if Woman.of(seed, patient).right else "left",
            facts=(("view", VIEWS[index % len(VIEWS)]),)))
    return Dataset(NAME, mammograms)


@dataclass(frozen=True, slots=True)
class Woman:
    """What both views of a breast share. size, radius (of the lesion): lengths as in `drawing`; density: brightness of
    the fibroglandular tissue; right: whether it is the right breast, whose chest wall is shown on the right.
    """

    size: float
    density: float
    right: bool
    radius: float

    @classmethod
    def of(cls, seed: int, patient: int) -> Woman:
        random = np.random.default_rng((seed, patient))
        return cls(random.uniform(0.8, 1), random.uniform(0.25, 0.8), random.random() < 0.5, random.uniform(0.07, 0.15))


def _label(patient: int) -> str:
    return CLASSES[patient % len(CLASSES)]


def draw(seed: int, index: int, height: int = HEIGHT) -> Pixels:
    """Image (height, 0.8 height) uint8 and mask of the same shape, bool, or None for a normal breast."""
    patient, view = index // len(VIEWS), VIEWS[index % len(VIEWS)]
    woman = Woman.of(seed, patient)
    film = np.random.default_rng((seed, patient, 1 + index % len(VIEWS)))

    canvas = Canvas(height, film)
    outline, thickness, pectoral = breast(canvas, woman.size, oblique=view == "MLO")
    levels = tissue(canvas, outline, woman.density) + soft_areas(canvas, outline) + vessels(canvas, outline)
    label = _label(patient)
    mask = None
    if label != "normal":
        draw_lesion = spiculated_mass if label == "cancer" else mass
        lesion = draw_lesion(canvas, outline, woman.radius * film.uniform(0.9, 1.1))
        mask = lesion > 0.5
        levels = levels + film.uniform(0.5, 0.7) * lesion
    levels = thickness * (0.35 + levels) + pectoral
    image = _expose(levels, film)
    if woman.right:
        image, mask = image[:, ::-1], None if mask is None else mask[:, ::-1]
    return np.ascontiguousarray(image), None if mask is None else np.ascontiguousarray(mask)


def _expose(levels: np.ndarray, film: np.random.Generator) -> np.ndarray:
    """The film's own gain, contrast, fog and noise; (H, W) uint8."""
    levels = np.clip(levels / 1.6, 0, 1) ** film.uniform(0.7, 1.4)
    levels = film.uniform(0.0, 0.08) + film.uniform(0.55, 0.9) * levels
    levels = levels + film.uniform(0.005, 0.02) * film.standard_normal(levels.shape, dtype=np.float32)
    return np.rint(255 * np.clip(levels, 0, 1)).astype(np.uint8)


def write(folder: Path, seed: int, images: int, height: int = HEIGHT) -> None:
    """The set as PNG files in the `folder` format. Raises `UsageError` where the folder holds something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: expected a new or an empty folder")
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("image", "mask", "label", "patient", "collection", "breast", "view"))
        for mammogram in over(dataset(seed, images, height).mammograms, "Drawing", "image", leave=False):
            image, mask = mammogram.load()
            image_path, mask_path = f"images/{mammogram.name}.png", ""
            Image.fromarray(image).save(folder / image_path)
            if mask is not None:
                mask_path = f"masks/{mammogram.name}.png"
                Image.fromarray(mask.astype(np.uint8) * 255).save(folder / mask_path)
            table.writerow((image_path, mask_path, mammogram.label, mammogram.patient, NAME,
                            mammogram.breast, *(value for _, value in mammogram.facts)))


def parser() -> argparse.ArgumentParser:
    new = CommandParser("Writes synthetic mammograms with masks into a new folder, to be used with --data.\n\n"
                        "    python -m experiments.datasets.synthetic /tmp/drawn --images 300 --seed 1")
    new.prog = "python -m experiments.datasets.synthetic"
    new.add_argument("folder", type=Path, help="a new or an empty folder")
    new.add_argument("--images", type=whole_number, default=IMAGES, help="how many (default %(default)s)")
    new.add_argument("--seed", type=whole_number, default=0, help="default %(default)s")
    new.add_argument("--height", type=whole_number, default=HEIGHT,
                     help="of the images, in pixels (default %(default)s)")
    return new


def main(argv: list[str] | None = None) -> None:
    options = parser().parse_args(argv)
    if options.images < 1 or not 32 <= options.height <= TALLEST or options.seed < 0:
        raise UsageError(f"expected --images of at least 1, --height of 32 to {TALLEST} and --seed of at least 0")
    write(options.folder, options.seed, options.images, options.height)


if __name__ == "__main__":
    run_command(main)
