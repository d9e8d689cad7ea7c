"""A lossless JPEG encoder that predicts as Stanford's PVRG did when it wrote DDSM; for tests and timing."""
import numpy as np

# categories by code length: 14 codes of 4 bits, 3 of 5 bits; the code of five ones stays free, as it must
CATEGORIES = bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
COUNTS = bytes([0, 0, 0, 14, 3] + 11 * [0])
CODE_LENGTH = np.array(14 * [4] + 3 * [5])
CODE = np.array([*range(14), 28, 29, 30])
CHUNK = 1 << 20

PREDICT = {1: lambda a, b, c: a, 2: lambda a, b, c: b, 3: lambda a, b, c: c, 4: lambda a, b, c: a + b - c,
           5: lambda a, b, c: a + ((b - c) >> 1), 6: lambda a, b, c: b + ((a - c) >> 1),
           7: lambda a, b, c: (a + b) >> 1}


def encode(pixels: np.ndarray, predictor: int = 7, precision: int = 16, size: tuple[int, int] | None = None) -> bytes:
    """The file of (H, W) pixels below 2^precision; size: (height, width) that the header gives, if not theirs.

    PVRG keeps 2^(precision - 1) for the row above the image. The first pixel of a row is predicted from above, all
    others by the predictor, those of the first row too (where T.81 would take the pixel to the left).
    """
    height, width = size or pixels.shape
    middle = 1 << (precision - 1)
    rows = np.vstack([np.full((1, width), middle), pixels.reshape(height, width)]).astype(np.int64)
    prediction = rows[:-1].copy()
    prediction[:, 1:] = PREDICT[predictor](rows[1:, :-1], rows[:-1, 1:], rows[:-1, :-1])
    differences = ((rows[1:] - prediction + 32767) % 65536 - 32767).ravel()  # -32767 to 32768
    header = (b"\xff\xd8\xff\xc3\x00\x0b" + bytes([precision]) + height.to_bytes(2, "big") + width.to_bytes(2, "big")
              + b"\x01\x01\x11\x00" + b"\xff\xc4\x00\x24\x00" + COUNTS + CATEGORIES
              + b"\xff\xda\x00\x08\x01\x01\x00" + bytes([predictor]) + b"\x00\x00")
    return header + _entropy_code(differences) + b"\xff\xd9"


def _entropy_code(differences: np.ndarray) -> bytes:
    """Huffman code of the category, then as many bits (T.81, H.1.2.2); the last byte is filled up with ones."""
    parts, rest = [], np.zeros(0, np.uint8)
    for start in range(0, len(differences), CHUNK):
        difference = differences[start : start + CHUNK]
        category = np.ceil(np.log2(np.abs(difference) + 1)).astype(int)
        extra = category % 16
        low = np.where(difference < 0, difference + (1 << extra) - 1, difference) & ((1 << extra) - 1)
        length = CODE_LENGTH[category] + extra
        last = np.cumsum(length)
        shift = np.repeat(last, length) - 1 - np.arange(last[-1])
        bits = np.repeat(CODE[category] << extra | low, length) >> shift & 1
        bits = np.concatenate([rest, bits.astype(np.uint8)])
        whole = len(bits) // 8 * 8
        parts.append(np.packbits(bits[:whole]).tobytes())
        rest = bits[whole:]
    if len(rest):
        parts.append(np.packbits(np.concatenate([rest, np.ones(8 - len(rest), np.uint8)])).tobytes())
    return b"".join(parts).replace(b"\xff", b"\xff\x00")
