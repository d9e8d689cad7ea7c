"""How large an image may be: a small file can unfold to more than the memory holds."""
import argparse
from pathlib import Path

from experiments.system.errors import Failure

MAX_PIXELS = 80_000_000  # twice the largest film of DDSM; --max-pixels sets another limit


def require_size(path: Path, height: int, width: int, max_pixels: int) -> None:
    """Raises `Failure`, naming the file, where it has no pixels or more than `max_pixels`. To be called before any is
    decoded.
    """
    if height < 1 or width < 1:
        raise Failure(f"{path}: its header says {width} x {height} pixels (width x height); expected at least one")
    if height * width > max_pixels:
        raise Failure(f"{path}: has {width} x {height} pixels (width x height), more than {max_pixels}, the most that "
                      "are read. If it is a mammogram, allow it by --max-pixels")


def add_max_pixels(parser: argparse.ArgumentParser, default: int | None = MAX_PIXELS) -> None:
    """--max-pixels, for every command that reads images."""
    parser.add_argument("--max-pixels", type=_pixels, metavar="N", default=default,
                        help=f"refuse images of more pixels, for which the memory may not do (default: {MAX_PIXELS})")


def _pixels(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text[:20]!r}: expected a number of pixels, at least 1")
    return int(text)
