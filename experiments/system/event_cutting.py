"""TensorBoard's event files of event_files.py, cut back to a step, so that a resumed run writes nothing twice."""
from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from engine.files import write_whole
from experiments.system.event_files import masked_crc


def cut(path: Path, step: int) -> None:
    """Drop the first record that is later than `step` or damaged, and all that follow. Raises OSError."""
    data = path.read_bytes()
    whole = 0
    for end, at in records(data):
        if at > step:
            break
        whole = end
    if whole < len(data):
        write_whole(path, data[:whole])


def records(data: bytes) -> Iterator[tuple[int, int]]:
    """(where it ends, its step) of the records that `append` wrote, up to the first that is none."""
    start = 0
    while start + 12 <= len(data):
        length, = struct.unpack_from("<Q", data, start)
        content = data[start + 12:start + 12 + length]
        end = start + 16 + length
        if data[start + 8:start + 12] != masked_crc(data[start:start + 8]) or (
                data[end - 4:end] != masked_crc(content)):
            return
        yield end, _varint_at(content, 10)  # behind a key, the time and a key
        start = end


def _varint_at(content: bytes, place: int) -> int:
    number = 0
    for shift, byte in enumerate(content[place:]):
        number |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            break
    return number
