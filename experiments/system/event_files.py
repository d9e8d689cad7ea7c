"""TensorBoard's event files, written without TensorBoard: records in TFRecord framing, each a protocol buffer.

    record  length (uint64), its masked CRC-32C, the bytes, their masked CRC-32C; all little-endian
    bytes   Event of tensorflow/core/util/event.proto, with a Summary of .../framework/summary.proto

An appended record is whole or cut off by a kill at the end of the file, where readers stop without an error.
"""
from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np

VERSION = "brain.Event:2"
BUCKETS = 30  # as many as TensorBoard draws


def _table() -> list[int]:
    """Of CRC-32C, Castagnoli's polynomial with its bits reflected."""
    entries = list(range(256))
    for _ in range(8):
        entries = [entry >> 1 ^ (0x82F63B78 if entry & 1 else 0) for entry in entries]
    return entries


TABLE = _table()


def masked_crc(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    low = bytearray()
    while number > 0x7F:
        low.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*low, number])


def message(*fields: tuple[int, int | float | str | bytes | np.ndarray]) -> bytes:
    """(number of the field, value): whole numbers as varints, floats as doubles, arrays as packed doubles."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts.append(varint(number << 3) + varint(value))
        elif isinstance(value, float):
            parts.append(varint(number << 3 | 1) + struct.pack("<d", value))
        else:
            data = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else (
                value.astype("<f8").tobytes())
            parts.append(varint(number << 3 | 2) + varint(len(data)) + data)
    return b"".join(parts)


def scalar(tag: str, value: float) -> bytes:
    """A Summary.Value with a simple_value, the one float32 among the fields."""
    return message((1, tag)) + varint(2 << 3 | 5) + struct.pack("<f", value)


def histogram(tag: str, values: np.ndarray) -> bytes:
    """A Summary.Value with a HistogramProto of the (n,) sorted finite values, n >= 1."""
    values = values.astype(np.float64)
    limits = np.linspace(values[0], values[-1], BUCKETS + 1)[1:] if values[0] < values[-1] else values[:1]
    below = np.searchsorted(values, limits, side="right")
    below[-1] = len(values)  # the last limit may have been rounded
    return message((1, tag), (5, message(
        (1, float(values[0])), (2, float(values[-1])), (3, float(len(values))), (4, float(values.sum())),
        (5, float(values @ values)), (6, limits), (7, np.diff(below, prepend=0)))))


def image(tag: str, png: bytes, height: int, width: int) -> bytes:
    """A Summary.Value with an Image, RGB, in a PNG file."""
    return message((1, tag), (4, message((1, height), (2, width), (3, 3), (4, png))))


def append(path: Path, step: int, values: list[bytes]) -> None:
    """An Event with a Summary of these values, at the end of the file, which is begun where there is none.

    Raises OSError where it cannot be written.
    """
    with open(path, "ab") as file:
        begin = b"" if file.tell() else _record(message((1, time.time()), (2, 0), (3, VERSION)))
        file.write(begin + _record(message(
            (1, time.time()), (2, step), (5, b"".join(message((1, value)) for value in values)))))


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + masked_crc(length) + data + masked_crc(data)
