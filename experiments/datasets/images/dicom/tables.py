"""DICOM's look-up tables, of the modality LUT and of the VOI LUT (PS3.3 C.11.1.1, C.11.2.1)."""
from typing import Any

import numpy as np

WRAP = 1 << 16


def look_up(file: Any, item: Any, values: np.ndarray) -> np.ndarray:
    """By a LUT of C.11.1.1: values below the first that is mapped get the first entry, those above the last.

    The number of entries is 65536 where the descriptor says 0. Entries of 8 bits stand one in a word, or two.
    """
    entries, first, bits = (int(number) for number in item.LUTDescriptor)
    entries = (entries % WRAP) or WRAP
    if not 8 <= bits <= 16:
        raise ValueError(f"its LUT has entries of {bits} bits; expected 8 to 16")
    table = _words(file, item.LUTData)
    if bits == 8 and len(table) == (entries + 1) // 2 < entries:
        table = table.view(np.uint8)
    if len(table) < entries:
        raise ValueError(f"its LUT has {len(table)} entries, its descriptor says {entries}")
    places = np.clip(np.rint(values).astype(np.int64) - _first(first, values), 0, entries - 1)
    return table[:entries].astype(np.uint16)[places]


def _words(file: Any, data: Any) -> np.ndarray:
    """(n,) little-endian uint16, from bytes in the file's order or from numbers of either signedness."""
    if not isinstance(data, bytes):
        return (np.asarray(data).astype(np.int64).ravel() % WRAP).astype("<u2")
    order = "<" if file.file_meta.TransferSyntaxUID.is_little_endian else ">"
    return np.frombuffer(data + b"\0" * (len(data) % 2), f"{order}u2").astype("<u2")


def _first(first: int, values: np.ndarray) -> int:
    """The first value that is mapped. Its 16 bits may be written with the other signedness: it is the number whose
    table the values reach."""
    lowest, highest = values.min(), values.max()
    if first < 0 and values.dtype.kind == "u":
        return first + WRAP if highest >= first + WRAP else first
    if first >= WRAP // 2 and (values.dtype.kind == "i" or lowest < 0 or highest < first):
        return first - WRAP
    return first
