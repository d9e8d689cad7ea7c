"""The outline of a lesion: a chain code (Freeman), and the pixels that it encloses."""
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

# (row, column) of a step in the directions 0 = north, then clockwise: 2 = east, 4 = south, 6 = west
STEPS = np.array([(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)])


@dataclass(frozen=True, slots=True)
class Outline:
    """row, column: of the first pixel, from the top left; directions (n,) uint8, 0 to 7; place: its file and line."""

    row: int
    column: int
    directions: np.ndarray
    place: str

    def pixels(self) -> np.ndarray:
        """(n + 1, 2) int64: row and column of every pixel on the outline."""
        steps = np.concatenate([[(self.row, self.column)], STEPS[self.directions]])
        return np.cumsum(steps, axis=0)

    def fault(self, size: tuple[int, int]) -> str | None:
        """Why the outline encloses nothing in an image of size (H, W); None where it does.

        It must come back to its first pixel or to a neighbour of it.
        """
        pixels = self.pixels()
        outside = np.flatnonzero(((pixels < 0) | (pixels >= size)).any(axis=1))
        if outside.size:
            row, column = pixels[outside[0]]
            return (f"the outline leaves the image of {size[1]} x {size[0]} pixels (width x height): column {column}, "
                    f"row {row} after {outside[0]} steps")
        gap = np.abs(pixels[-1] - pixels[0]).max()
        return f"the outline does not close: its ends are {gap} pixels apart" if gap > 1 else None

    def fill(self, mask: np.ndarray) -> None:
        """Sets the outline's pixels and all that they enclose in (H, W) bool."""
        pixels = self.pixels()
        corner = pixels.min(axis=0)
        patch = np.zeros(pixels.max(axis=0) - corner + 1, dtype=bool)
        patch[tuple((pixels - corner).T)] = True
        window = mask[corner[0] : corner[0] + patch.shape[0], corner[1] : corner[1] + patch.shape[1]]
        window |= ndimage.binary_fill_holes(patch)
