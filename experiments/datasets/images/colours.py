"""From colours to grey levels, in the pixels' own type."""
import numpy as np

LUMA = (299, 587, 114)  # thousandths: Rec. 601, the weights of every common conversion from colour to grey
ROWS = 256  # at a time, since the sum takes four times the room of the colours


def luma(colours: np.ndarray) -> np.ndarray:
    """(H, W) of (H, W, 3) uint8 or uint16, rounded, in their dtype; in whole numbers, so that no rounding decides."""
    grey = np.empty(colours.shape[:2], colours.dtype)
    for top in range(0, len(colours), ROWS):
        rows = colours[top : top + ROWS].astype(np.uint32)
        grey[top : top + ROWS] = (rows @ np.array(LUMA, np.uint32) + 500) // 1000
    return grey
