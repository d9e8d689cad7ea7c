"""The pixel cells of a DICOM file as they are stored, whatever compressed them."""
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.system.errors import Failure

JPEG, JPEG_LS, JPEG_2000 = "jpeg_decode", "jpegls_decode", "jpeg2k_decode"
DECODERS = {  # transfer syntax: end of its UID 1.2.840.10008.1.2.4. -> function of imagecodecs
    "50": JPEG, "51": JPEG, "57": JPEG, "70": JPEG, "80": JPEG_LS, "81": JPEG_LS,
    **dict.fromkeys(("90", "91", "201", "202", "203"), JPEG_2000)}
JPEG_2000_START = b"\xff\x4f\xff\x51"
COMPRESSED = "1.2.840.10008.1.2.4."
LOSSY = {COMPRESSED + end for end in ("50", "51", "81", "91", "203")}


def decode(file: Any, path: Path) -> np.ndarray:
    """(H, W), or (H, W, 3) of colours, of the stored numbers before any header says what they mean.

    JPEG, JPEG-LS and JPEG 2000 are decoded by imagecodecs, which the extra "ddsm" brings, and without it by what
    pydicom finds installed, pylibjpeg for example; run lengths by pydicom. Uncompressed cells are taken whole: padding
    may stand in the bits beyond BitsStored. Colours in a JPEG are refused: whether they are RGB, it does not say.
    """
    syntax = file.file_meta.TransferSyntaxUID
    if not syntax.is_compressed and int(file.get("BitsAllocated", 0)) in (8, 16, 32, 64):
        return _uncompressed(file, syntax)
    if int(file.get("SamplesPerPixel", 1)) > 1 and DECODERS.get(syntax.removeprefix(COMPRESSED)) == JPEG:
        raise ValueError(f"its colours are compressed ({syntax.name}), which is not read here")
    function = _imagecodecs(syntax)
    if function is None:
        return _by_pydicom(file, syntax, path)
    from pydicom.encaps import generate_frames

    frame = next(generate_frames(file.PixelData, number_of_frames=1))
    shape, coded = (int(file.Rows), int(file.Columns)), _coded_size(frame)
    if coded != shape:
        raise ValueError(f"its header says {shape[1]} x {shape[0]} pixels (width x height), its compressed image "
                         f"{coded[1]} x {coded[0]}")
    if not frame.startswith(JPEG_2000_START) and b"\xff\xd9" not in frame[-16:]:
        raise ValueError("its pixels are damaged or truncated: their compressed form has no end")
    try:
        return function(frame)
    except Exception as error:  # each codec has its own kinds
        raise ValueError(f"its pixels are damaged or truncated: {error}") from error


def _by_pydicom(file: Any, syntax: Any, path: Path) -> np.ndarray:
    from pydicom.pixels import get_decoder, pixel_array

    decoder = get_decoder(syntax)  # NotImplementedError, with the syntax's name, for what nobody knows
    remedy = 'imagecodecs; install it with: pip install -e ".[dicom]"'
    if not decoder.is_available:
        raise Failure(f"{path}: its pixels are compressed ({syntax.name}), which needs {remedy}")
    try:
        return pixel_array(file, raw=True)
    except Exception as error:  # each decoder has its own kinds, for what it cannot do and for what is damaged
        said = " ".join(str(error).split())
        hint = f". Where they are whole, they need {remedy}" if syntax.startswith(COMPRESSED) else ""
        raise ValueError(f"its pixels ({syntax.name}) cannot be decoded: {said}{hint}") from error


def _uncompressed(file: Any, syntax: Any) -> np.ndarray:
    name = next(name for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if name in file)
    kind, bits, samples = "u" if name == "PixelData" else "f", int(file.BitsAllocated), int(file.SamplesPerPixel)
    cells = np.dtype(f"{'<' if syntax.is_little_endian else '>'}{kind}{bits // 8}")
    shape, data = (int(file.Rows), int(file.Columns)), file[name].value
    if bits == 8 and not syntax.is_little_endian and file[name].VR == "OW":  # bytes in pairs, the second one first
        data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
    needed = shape[0] * shape[1] * samples
    if len(data) < needed * cells.itemsize:
        raise ValueError(f"it is truncated: its pixels need {needed * cells.itemsize} bytes, the file has {len(data)}")
    pixels = np.frombuffer(data, cells, count=needed).astype(cells.newbyteorder("="))
    if samples == 1:
        return pixels.reshape(shape)
    if int(file.get("PlanarConfiguration", None) or 0):
        return pixels.reshape(samples, *shape).transpose(1, 2, 0)
    return pixels.reshape(*shape, samples)


def _imagecodecs(syntax: str) -> Callable[[bytes], np.ndarray] | None:
    name = DECODERS.get(syntax.removeprefix(COMPRESSED)) if syntax.startswith(COMPRESSED) else None
    if name is None:
        return None
    try:
        import imagecodecs
    except ImportError:
        return None
    return getattr(imagecodecs, name)


def _coded_size(frame: bytes) -> tuple[int, int]:
    """Height and width in the header of a JPEG, JPEG-LS or JPEG 2000 codestream, before anything is unfolded."""
    if frame.startswith(JPEG_2000_START):  # SIZ: length, capabilities, then width, height and their offsets
        width, height, left, top = (int.from_bytes(frame[at : at + 4], "big") for at in range(8, 24, 4))
        return height - top, width - left
    at = 2
    while len(frame) > at + 9 and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return int.from_bytes(frame[at + 5 : at + 7], "big"), int.from_bytes(frame[at + 7 : at + 9], "big")
        at += 1 if marker == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    raise ValueError("its pixels are damaged: their compressed form has no header")
