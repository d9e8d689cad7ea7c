"""DICOM's look-up tables, of the modality LUT and of the VOI LUT (PS3.3 C.11.1.1, C.11.2.1)."""
from typing import Any

import numpy as np


def look_up(file: Any, item: Any, values: np.ndarray) -> np.ndarray:
    """By a LUT of C.11.1.1: values below the first that is mapped get the first entry, those above the last."""
    entries, first, bits = (int(number) for number in item.LUTDescriptor)
    entries = (entries % (1 << 16)) or 1 << 16
    if not 8 <= bits <= 16:
        raise ValueError(f"its LUT has entries of {bits} bits; expected 8 to 16")
    signed = values.dtype.kind != "u" and values.min() < 0
    if first < 0 and values.dtype.kind == "u":  # the descriptor may be written with the other signedness
        first += 1 << 16
    elif first >= 1 << 15 and signed:
        first -= 1 << 16
    data = item.LUTData
    if isinstance(data, bytes):
        order = "<" if file.file_meta.TransferSyntaxUID.is_little_endian else ">"
        table = np.frombuffer(data, np.uint8 if len(data) in (entries, entries + 1) and bits == 8 else f"{order}u2")
    else:
        table = np.asarray(data).astype(np.int64).ravel() % (1 << 16)
    if len(table) < entries:
        raise ValueError(f"its LUT has {len(table)} entries, its descriptor says {entries}")
    places = np.clip(np.rint(values).astype(np.int64) - first, 0, entries - 1)
    return table[:entries].astype(np.uint16)[places]
