"""How long does a full-size view of DDSM take from the file to the network's input?

    python benchmarks/ddsm_view.py                              6841 x 3901 pixels, the largest views; a minute
    python benchmarks/ddsm_view.py --lines 1200 --pixels 800 --repeats 2 --json view.json

The view is drawn and written by an encoder with PVRG's rule, so its pixels are known: they must come back exactly.
Standard decoder: what decoding alone takes, with wrong pixels. Needs imagecodecs, the extra "ddsm".
"""
from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import describe, positive
from PIL import Image
from pvrg_encoder import encode
from results import write_json

from experiments.datasets import synthetic
from experiments.datasets.ddsm import read_ljpeg
from experiments.datasets.ddsm.conversion import png
from experiments.datasets.ddsm.density import brightness
from experiments.inputs.preprocessing import Preprocessing, preprocess

LIMIT = 8.0  # seconds, of reading and preprocessing


def draw(lines: int, pixels: int) -> np.ndarray:
    """(lines, pixels) uint16: a drawn mammogram as grey levels of 12 bits, with the noise of film."""
    image = Image.fromarray(synthetic.draw(seed=0, index=0, height=640)[0]).resize((pixels, lines))
    noise = np.random.default_rng(0).normal(0, 6, (lines, pixels))
    return np.clip(300.0 + 13.0 * np.asarray(image, np.float64) + noise, 0, 4095).astype(np.uint16)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from imagecodecs import jpeg_decode

    truth = draw(arguments.lines, arguments.pixels)
    settings = Preprocessing(side=128, working_side=1024)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "D_0001_1.LEFT_CC.LJPEG"
        path.write_bytes(encode(truth))
        content = path.read_bytes()
        exact = bool(np.array_equal(read_ljpeg(path), truth))
        levels = brightness("D/HOWTEK")[truth]
        calls: dict[str, Callable[[], object]] = {
            "standard decoder": lambda: jpeg_decode(content),
            "read, exactly": lambda: read_ljpeg(path),
            "to optical density": lambda: brightness("D/HOWTEK")[truth],
            "preprocess, side 128": lambda: preprocess(levels, None, settings, "drawn"),
            "all three": lambda: preprocess(brightness("D/HOWTEK")[read_ljpeg(path)], None, settings, "drawn"),
            "write a PNG file": lambda: png(levels)}
        stages = {name: _seconds(call, arguments.repeats) for name, call in calls.items()}
    return {"lines": arguments.lines, "pixels": arguments.pixels, "file_bytes": len(content), "exact": exact,
            "png_bytes": len(png(levels)), "stages": stages, "in_time": stages["all three"]["seconds"] < LIMIT}


def _seconds(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """Medians of wall and processor time."""
    turns = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        call()
        turns.append((time.perf_counter() - wall, time.process_time() - processor))
    return {"seconds": median(wall for wall, _ in turns), "cpu_seconds": median(processor for _, processor in turns)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=positive, default=6841, help="height in pixels (default %(default)s)")
    parser.add_argument("--pixels", type=positive, default=3901, help="width in pixels (default %(default)s)")
    parser.add_argument("--repeats", type=positive, default=5, help="turns, of which the median (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    arguments = parser.parse_args()
    result = measure(arguments) | {"machine": describe()}
    print(f"{result['lines']} x {result['pixels']} pixels, .LJPEG {result['file_bytes'] / 1e6:.1f} MB, PNG "
          f"{result['png_bytes'] / 1e6:.1f} MB; pixels {'exact' if result['exact'] else 'WRONG'}")
    print(f"{'':22}{'wall s':>8}{'cpu s':>8}")
    for name, stage in result["stages"].items():
        print(f"{name:22}{stage['seconds']:8.2f}{stage['cpu_seconds']:8.2f}")
    if arguments.json:
        write_json(arguments.json, result)
    if not result["exact"]:
        sys.exit("the pixels that came back are not those that were written")


if __name__ == "__main__":
    main()
