"""The binary PGM format (P5), whose grey levels common libraries rescale when its maximum is not 255 or 65535."""
import re
from pathlib import Path

import numpy as np

from experiments.errors import Failure

# magic number, width, height, highest value; white space or comments between them, one white space before the pixels
HEADER = re.compile(rb"P5" + 3 * rb"(?:\s|#[^\r\n]*[\r\n])+(\d+)" + rb"\s")


def is_pgm(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"P5"


def read_pgm(path: Path) -> np.ndarray:
    """(H, W) uint8, or uint16 where the highest value is above 255; `Failure` where the file is not whole."""
    content = path.read_bytes()
    header = HEADER.match(content)
    if header is None:
        raise Failure(f"{path}: begins like a PGM file (P5) and has no complete header: width, height, highest value")
    width, height, highest = (int(number) for number in header.groups())
    if not (width and height and 0 < highest < 65536):
        raise Failure(f"{path}: its PGM header says {width} x {height} pixels up to {highest}; expected at least one "
                      "pixel and a highest value of 1 to 65535")
    dtype = np.dtype(np.uint8 if highest < 256 else ">u2")
    expected, found = width * height * dtype.itemsize, len(content) - header.end()
    if found < expected:
        raise Failure(f"{path}: is truncated: {width} x {height} pixels need {expected} bytes, the file has {found}. "
                      "Copy or download it again")
    pixels = np.frombuffer(content, dtype, count=width * height, offset=header.end())
    return pixels.reshape(height, width).astype(dtype.newbyteorder("="))
