"""How long it takes to read a large data set's table and to split its patients, and whether that stays linear.

    python benchmarks/reading.py                    50000 images, a tenth and three tenths of them first; seconds
    python benchmarks/reading.py --images 200000 --json reading.json

A folder in the layout of the RSNA 2022 set is made: its table, four images of each woman, and for each of them an empty
file, since reading opens none. Then, as every command does before it prepares an image: the folder is recognised and
read, the patients are split, and the cache is asked which images it lacks. The peak is that of the process
(ru_maxrss), less what it had when it began; it holds all that is known of the images, and no pixels.
"""
from __future__ import annotations

import argparse
import csv
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe, positive
from results import write_json

from experiments.datasets import CLASSES, open_dataset
from experiments.inputs.cache import missing_entries
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.splitting import split_by_part

COLUMNS = ("site_id", "patient_id", "image_id", "laterality", "view", "age", "cancer", "biopsy", "invasive", "BIRADS",
           "implant", "density", "machine_id", "difficult_negative_case")
VIEWS = [("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")]
STAGES = ("read", "split", "cache")


def make_folder(folder: Path, images: int) -> None:
    """Of four images for each woman, a fifth of whom had a biopsy and half of these a cancer, at two sites."""
    draws = np.random.default_rng(0).random(-(-images // len(VIEWS)))
    with open(folder / "train.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for number in range(images):
            woman, (side, view) = number // len(VIEWS), VIEWS[number % len(VIEWS)]
            cancer, biopsy = (int(draws[woman] < share) for share in (0.1, 0.2))
            table.writerow((1 + woman % 2, woman, number, side, view, "61.0", cancer, biopsy, cancer, "", 0, "B", 29,
                            "False"))
            path = folder / "train_images" / str(woman) / f"{number}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def measured(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return result, {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - processor}


def measure(folder: Path, cache: Path, before: int) -> dict[str, Any]:
    """before: bytes of the process when it began."""
    dataset, read = measured(lambda: open_dataset(folder, 0))
    mammograms = dataset.mammograms
    labels, patients, parts = (np.array(column) for column in zip(*(
        (CLASSES.index(each.label), each.patient, each.part) for each in mammograms), strict=True))
    _, split = measured(lambda: split_by_part(labels, patients, parts, 0))
    _, asked = measured(lambda: missing_entries(mammograms, Preprocessing(128), cache))
    return {"images": len(mammograms), "read": read, "split": split, "cache": asked, "bytes": _peak() - before}


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def line(row: dict[str, Any]) -> str:
    return f"{row['images']:>7} images: " + ", ".join(
        f"{stage} {row[stage]['seconds']:.2f} s ({row[stage]['cpu_seconds']:.2f} processor s)" for stage in STAGES) + (
        f", {1e6 * sum(row[stage]['cpu_seconds'] for stage in STAGES) / row['images']:.0f} processor us an image, "
        f"{row['bytes'] / 2**20:.0f} MiB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=positive, default=50000, metavar="N", help="of the largest folder (50000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    arguments = parser.parse_args()
    if arguments.images < 1000:
        parser.error(f"--images {arguments.images}: expected at least 1000, a tenth of which can be split")
    rows: list[dict[str, Any]] = []
    before = _peak()
    for tenths in (1, 3, 10):
        with tempfile.TemporaryDirectory() as place:
            folder, cache = Path(place, "data"), Path(place, "cache")
            folder.mkdir()
            cache.mkdir()
            make_folder(folder, arguments.images * tenths // 10)
            rows.append(measure(folder, cache, before))
        print(line(rows[-1]), flush=True)
    if arguments.json:
        write_json(arguments.json, {"machine": describe(), "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
