"""DICOM files, with or without preamble: opened here; `frames` has the pixels, `levels` makes the picture of them."""
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from experiments.datasets.images.dicom.frames import LOSSY, decode
from experiments.datasets.images.dicom.levels import brightness
from experiments.datasets.images.dicom.refused import ASKED, require_one_picture
from experiments.datasets.images.sizes import MAX_PIXELS, require_size
from experiments.system.errors import Failure

# a file without preamble begins with the file meta information or the identifying group; group, then element below 256
BEGINNINGS = (b"\x02\x00", b"\x08\x00")
DEFLATED = b"1.2.840.10008.1.2.1.99"  # transfer syntax
START = 1 << 16  # bytes
MOST_UNFOLDED = 1 << 29
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR")


def is_dicom(path: Path) -> bool:
    """By suffix, by the mark behind the preamble, or by the first element of a file that has none."""
    if path.suffix.lower() in (".dcm", ".dicom"):
        return True
    with open(path, "rb") as file:
        start = file.read(132)
    return start[128:] == b"DICM" or (start[:2] in BEGINNINGS and start[3:4] == b"\0" and len(start) > 8)


def read_dicom(path: Path, max_pixels: int = MAX_PIXELS, as_mask: bool = False) -> tuple[np.ndarray, bool]:
    """(H, W), bright where the picture is bright, and whether the pixels were compressed with loss. as_mask: see
    `levels.brightness`.

    Raises `Failure`, naming the file, for what is no single image, is not known how to show, is truncated, or needs a
    library that is not installed.
    """
    with _explained(path):
        file = _open(path)
        _require_one_image(file, path, max_pixels)
        photometric = str(file.get("PhotometricInterpretation", "(none)"))
        if photometric not in PHOTOMETRIC:
            raise Failure(f"{path}: is a colour image ({photometric}); expected {', '.join(PHOTOMETRIC)}")
        cells = decode(file, path)
        lossy = str(file.get("LossyImageCompression", "")) == "01" or file.file_meta.TransferSyntaxUID in LOSSY
        return brightness(file, cells, as_mask), lossy


def dicom_shape(path: Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width of a DICOM file, from its header. Raises `Failure`, naming it, where it holds no pixels."""
    with _explained(path):
        file = _open(path, defer_size=1024, specific_tags=list(ASKED))
        _require_one_image(file, path, max_pixels)
        return int(file.Rows), int(file.Columns)


def dicom_header(path: Path) -> Any:
    """All elements of a DICOM file (pydicom's `Dataset`) but its pixels. Raises `Failure`, naming it, where it is none.
    """
    with _explained(path):
        return _open(path, stop_before_pixels=True)


def _open(path: Path, **options: Any) -> Any:
    try:
        import pydicom
    except ImportError as error:
        raise Failure(f'{path}: reading DICOM needs pydicom; install it with: pip install -e ".[dicom]"') from error
    _require_room(path)
    file = pydicom.dcmread(path, force=True, **options)  # force: without preamble, too
    if "TransferSyntaxUID" not in file.file_meta:
        implicit, little = file.original_encoding
        file.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian if implicit else
            pydicom.uid.ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian)
    return file


def _require_room(path: Path) -> None:
    """pydicom unfolds a deflated file as a whole, whatever its header says then."""
    with open(path, "rb") as file:
        start = file.read(START)
        if DEFLATED not in start or start[128:132] != b"DICM":
            return
        at = 132
        while start[at : at + 2] == b"\x02\0":  # the elements of the file meta information, which are not deflated
            long = start[at + 4 : at + 6] in (b"OB", b"UN")
            at += 12 + int.from_bytes(start[at + 8 : at + 12], "little") if long else (
                8 + int.from_bytes(start[at + 6 : at + 8], "little"))
        file.seek(at)
        inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while not inflater.eof and (part := inflater.unconsumed_tail or file.read(START)):
            total += len(inflater.decompress(part, 1 << 20))
            if total > MOST_UNFOLDED:
                raise Failure(f"{path}: is deflated and unfolds to more than {MOST_UNFOLDED} bytes; expected a "
                              "mammogram")


def _require_one_image(file: Any, path: Path, max_pixels: int) -> None:
    require_one_picture(file, path)
    require_size(path, int(file.Rows), int(file.Columns), max_pixels)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (Failure, MemoryError, OSError):
        raise
    except Exception as error:  # pydicom raises many kinds, and the decoders their own
        raise Failure(f"{path}: cannot be read as DICOM ({error})") from error
