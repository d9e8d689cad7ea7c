"""The header of a lossless JPEG file: frame (SOF3), Huffman table and scan (ITU-T T.81, annexes B, C and H)."""
import struct
from dataclasses import dataclass

SOI, SOF3, DHT, SOS, DRI = 0xD8, 0xC3, 0xC4, 0xDA, 0xDD
OTHER_FRAMES = {0xC0, 0xC1, 0xC2, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}

Code = tuple[int, int]  # the bits as a number, and how many they are


@dataclass(frozen=True, slots=True)
class Header:
    """precision      bits of a pixel                    predictor   1 to 7 (T.81, table H.1)
    height, width  in pixels, as the file says        height_at   offset of the two bytes that hold the height
    codes          category of the difference, 0 to 16 -> its Huffman code
    pixels_at      offset of the first coded pixel
    """

    precision: int
    height: int
    width: int
    predictor: int
    codes: dict[int, Code]
    height_at: int
    pixels_at: int


class Damaged(ValueError):
    """Of a file that is not whole: another copy would mend it, which is said of no other."""


def parse_header(data: bytes) -> Header:
    """Raises ValueError, saying what was found and expected, for all but one grey image of one scan; `Damaged` where
    the header is not whole.
    """
    if data[:2] != bytes([0xFF, SOI]):
        raise ValueError("does not begin as a JPEG file")
    at, frame, height_at = 2, None, 0
    tables: dict[int, dict[int, Code]] = {}
    while True:
        if len(data) < at + 4 or data[at] != 0xFF:
            raise Damaged(f"has no complete JPEG header (expected a marker at byte {at})")
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if length < 2 or len(segment) != length - 2:
            raise Damaged(f"has no complete JPEG header (the segment at byte {at} has {length} bytes)")
        if marker in OTHER_FRAMES:
            raise ValueError(f"is not a lossless JPEG file (frame FF{marker:02X}, expected FFC3)")
        if marker == DRI and segment.strip(b"\0"):
            raise ValueError("has restart intervals, which this reader does not know")
        if marker == SOF3:
            frame, height_at = _frame(segment), at + 5
        elif marker == DHT:
            tables |= _huffman_tables(segment)
        elif marker == SOS:
            if frame is None:
                raise ValueError("is not a lossless JPEG file (it has no frame FFC3)")
            table, predictor = _scan(segment)
            if table not in tables:
                raise ValueError(f"lacks its Huffman table {table}")
            return Header(*frame, predictor, tables[table], height_at, pixels_at=at + 2 + length)
        at += 2 + length


def _frame(segment: bytes) -> tuple[int, int, int]:
    """precision, height, width."""
    if len(segment) != 9 or segment[5] != 1:
        raise ValueError("has another number of colours than one")
    precision, height, width = struct.unpack(">BHH", segment[:5])
    if not (2 <= precision <= 16 and height and width):
        raise ValueError(f"says that it has {width} x {height} pixels of {precision} bits")
    return precision, height, width


def _scan(segment: bytes) -> tuple[int, int]:
    """Number of the Huffman table, predictor."""
    if len(segment) != 6 or segment[0] != 1:
        raise ValueError("has a scan of several colours")
    table, predictor, point_transform = segment[2] >> 4, segment[3], segment[5] & 15
    if not 1 <= predictor <= 7 or point_transform:
        raise ValueError(f"has predictor {predictor} and point transform {point_transform}; expected 1 to 7, and 0")
    return table, predictor


def _huffman_tables(segment: bytes) -> dict[int, dict[int, Code]]:
    """Codes are numbered upwards from 0 within a length; the next length goes on with twice the number (annex C)."""
    tables = {}
    while segment:
        counts = segment[1:17]
        categories, rest = segment[17 : 17 + sum(counts)], segment[17 + sum(counts) :]
        if len(counts) != 16 or len(categories) != sum(counts) or any(category > 16 for category in categories):
            raise Damaged("has a damaged Huffman table")
        codes: dict[int, Code] = {}
        code, remaining = 0, iter(categories)
        for length, count in enumerate(counts, start=1):
            for _ in range(count):
                codes[next(remaining)] = (code, length)
                code += 1
            if code > 1 << length:
                raise Damaged("has a damaged Huffman table")
            code *= 2
        tables[segment[0] & 15], segment = codes, rest
    return tables
