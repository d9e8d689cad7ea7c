"""DDSM's .LJPEG files: lossless JPEG by the encoder of Stanford's PVRG, which departs from the standard in one row."""
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.datasets.ddsm.ics import ics_of, read_ics
from experiments.datasets.ddsm.jpeg_header import Damaged, Header, parse_header
from experiments.system.errors import Failure

END = b"\xff\xd9"
MARKER = re.compile(rb"\xff+[^\x00\xff]")
ROWS_ABOVE = 8
BLOCK = 256  # rows whose coded length is counted at a time

# T.81, table H.1: the prediction from the pixels to the left (a), above (b), and above to the left (c)
PREDICTORS = {
    1: lambda a, b, c: a, 2: lambda a, b, c: b, 3: lambda a, b, c: c, 4: lambda a, b, c: a + b - c,
    5: lambda a, b, c: a + ((b - c) >> 1), 6: lambda a, b, c: b + ((a - c) >> 1), 7: lambda a, b, c: (a + b) >> 1}


def read_ljpeg(path: Path, size: tuple[int, int] | None = None, truncated: bool = False) -> np.ndarray:
    """(H, W) uint16: the digitizer's grey levels, exactly.

    A lossless JPEG holds for every pixel its difference from a prediction. In the first row, from the second pixel on,
    T.81 predicts the pixel to the left, whatever the file's predictor. PVRG uses the file's predictor there too (7 in
    DDSM: half the sum of the pixels to the left and above), with 2^(precision - 1) for the row above the image. So
    every decoder that follows the standard returns wrong pixels, from the first row down through the whole image.

    The repair: rows of 2^(precision - 1) are put above the image before a standard decoder reads it. T.81 begins the
    first row with that very prediction, and all that follows are predicted from equal pixels, with all predictors: so
    every difference in these rows is 0, and its code, written that many times before the coded pixels, is all that
    they take. The image's first row is now an inner row, which T.81 predicts from the left and from a row of
    2^(precision - 1) above, as PVRG did; its other rows are treated alike by both. Hence every pixel is exact, for
    every predictor (with 1, 4 and 5 the repair changes nothing). The rows are eight so that they take whole bytes.

    As a check, the lengths of the codes of all pixels are added up: they must be those of the file, to the bit.

    size       (LINES, PIXELS_PER_LINE) of the view; by default from the .ics file beside the image, and where there is
               none as the JPEG header says. Some files have the two exchanged in their header; the pixels are coded in
               rows of the header's width, and then lie one after another as in rows of PIXELS_PER_LINE
    truncated  of a truncated file, return the whole rows that there are

    Raises `Failure`, naming the file, where it is absent, truncated, damaged or of another kind or size.
    """
    path = Path(path)
    if size is None:
        size = _listed_size(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        header = parse_header(data)
        height, width = size or (header.height, header.width)
        if (height, width) not in ((header.height, header.width), (header.width, header.height)):
            raise ValueError(f"has {header.width} x {header.height} pixels (width x height); expected {width} x "
                             f"{height}, or the two exchanged")
        pixels = _decode(data, header, path)
    except Damaged as error:
        raise Failure(f"{path}: {error}. Copy or download it again") from error
    except ValueError as error:
        raise Failure(f"{path}: {error}") from error
    if len(pixels) < header.height and not truncated:
        raise Failure(f"{path}: is truncated: {len(pixels)} of its {header.height} coded rows are whole. Copy or "
                      "download it again")
    rows = pixels.size // width
    return pixels.ravel()[: rows * width].reshape(rows, width)


def _listed_size(path: Path) -> tuple[int, int] | None:
    ics = ics_of(path)
    views = read_ics(ics).views if ics.is_file() else {}
    view = views.get(path.name.split(".")[1]) if path.name.count(".") > 1 else None
    return None if view is None else (view.lines, view.pixels_per_line)


def _decode(data: bytes, header: Header, path: Path) -> np.ndarray:
    """(R, width) uint16: the whole rows; R < header.height where the file is truncated."""
    marker = MARKER.search(data, header.pixels_at)
    coded = data[header.pixels_at : marker.start() if marker else len(data)]
    if coded.endswith(b"\xff"):  # a cut through the pair FF00
        coded = coded[:-1]
    bits = 8 * (len(coded) - coded.count(b"\xff\x00"))
    height = min(header.height, bits // header.width)  # a pixel takes at least one bit
    if height == 0:
        raise Damaged("is truncated: it holds no whole row of pixels")
    if 0 not in header.codes:
        raise ValueError("has no code for a difference of 0, and so no place for the rows that its repair needs")
    if height + ROWS_ABOVE > 0xFFFF:
        raise ValueError(f"has {height} rows, more than the repair can be made for")
    before = data[: header.height_at] + (height + ROWS_ABOVE).to_bytes(2, "big") + data[
        header.height_at + 2 : header.pixels_at]
    decoded = _standard_decoder(path)(before + _zeros(header) + coded + END)
    if decoded.shape != (height + ROWS_ABOVE, header.width):
        raise ValueError(f"was decoded to an array of shape {decoded.shape}")
    decoded = decoded.astype(np.uint16, copy=False)[ROWS_ABOVE - 1 :]
    ends = np.cumsum(_row_bits(decoded, header))
    if height == header.height and bits - ends[-1] >= 8:
        raise Damaged(f"is damaged: its pixels take {ends[-1]} bits, it holds {bits}")
    return decoded[1 : 1 + np.searchsorted(ends, bits, side="right")]


def _zeros(header: Header) -> bytes:
    """ROWS_ABOVE rows of differences of 0, as they stand in the file: a byte FF is followed by 00."""
    code, length = header.codes[0]
    eight = int(8 * f"{code:0{length}b}", base=2).to_bytes(length, "big")
    return (eight * (header.width * ROWS_ABOVE // 8)).replace(b"\xff", b"\xff\x00")


def _row_bits(rows: np.ndarray, header: Header) -> np.ndarray:
    """(R,) int64: how many bits the rows after the first of (R + 1, W) pixels take in the file."""
    difference = np.arange(1 << 16)
    size = np.minimum(difference, (1 << 16) - difference)
    category = np.ceil(np.log2(size + 1)).astype(int)  # of 32768: 16, which needs no further bits
    code_length = np.array([header.codes.get(each, (0, 64))[1] for each in range(17)])
    cost = (code_length[category] + category % 16).astype(np.uint8)
    predict = PREDICTORS[header.predictor]
    total = []
    for start in range(0, len(rows) - 1, BLOCK):
        block = rows[start : start + BLOCK + 1].astype(np.int32)
        coded = block[1:].copy()
        coded[:, 0] -= block[:-1, 0]
        coded[:, 1:] -= predict(block[1:, :-1], block[:-1, 1:], block[:-1, :-1])
        total.append(cost[coded.astype(np.uint16)].sum(axis=1, dtype=np.int64))
    return np.concatenate(total)


def _standard_decoder(path: Path) -> Callable[[bytes], np.ndarray]:
    try:
        from imagecodecs import JpegError, jpeg_decode
    except ImportError as error:
        raise Failure(f"{path}: reading .LJPEG files needs imagecodecs; install it with: pip install -e \".[ddsm]\""
                      ) from error

    def decode(data: bytes) -> np.ndarray:
        try:
            return jpeg_decode(data)
        except (JpegError, ValueError, RuntimeError) as error:
            raise Damaged(f"cannot be decoded ({error})") from error

    return decode
