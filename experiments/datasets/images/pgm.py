"""The binary PGM format (P5), whose grey levels common libraries rescale when its maximum is not 255 or 65535."""
import re
from pathlib import Path

import numpy as np

from experiments.datasets.images.sizes import MAX_PIXELS, require_size
from experiments.system.errors import Failure

# magic number, width, height, highest value; white space or comments between them, one white space before the pixels
HEADER = re.compile(rb"P5" + 3 * rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})" + rb"\s")
HEADER_BYTES = 1 << 16  # comments included


def is_pgm(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"P5"


def read_pgm(path: Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(H, W) uint8, or uint16 where the highest value is above 255.

    Where a single line end more than the pixels need follows the header, as in DDSM's .16_PGM files, it is skipped.
    Raises `Failure` where the file is not whole, holds several images or has more than `max_pixels` pixels.
    """
    with open(path, "rb") as file:
        header = HEADER.match(file.read(HEADER_BYTES))
        if header is None:
            raise Failure(f"{path}: begins like a PGM file (P5) and has no complete header: width, height, highest "
                          "value")
        width, height, highest = (int(number) for number in header.groups())
        if not (width and height and 0 < highest < 65536):
            raise Failure(f"{path}: its PGM header says {width} x {height} pixels up to {highest}; expected at least "
                          "one pixel and a highest value of 1 to 65535")
        require_size(path, height, width, max_pixels)
        dtype = np.dtype(np.uint8 if highest < 256 else ">u2")
        expected = width * height * dtype.itemsize
        file.seek(header.end())
        content = file.read(expected + HEADER_BYTES)
    if len(content) < expected:
        raise Failure(f"{path}: is truncated: {width} x {height} pixels need {expected} bytes, the file has "
                      f"{len(content)}. Copy or download it again")
    if content[expected:].lstrip().startswith(b"P5"):
        raise Failure(f"{path}: holds several images, expected one")
    extra_line_end = len(content) == expected + 1 and content[:1] == b"\n"
    start = int(extra_line_end and (highest > 255 or content[-1:] != b"\n"))
    pixels = np.frombuffer(content, dtype, count=width * height, offset=start)
    return pixels.reshape(height, width).astype(dtype.newbyteorder("="))
