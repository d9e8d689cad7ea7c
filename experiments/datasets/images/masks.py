"""What a mask file marks: everything that is not background. Background is the darkest level, or transparent.

In a file without loss a pixel is marked where its brightest colour is above the background: red, a palette's colours,
grey 100, labels 1 and 2, 0 to 4095 are all understood. A palette's colours count, not their numbers. A file whose
background is bright is refused, where it is known by the image's edge or by darkest colours that differ.

JPEG and other compression with loss leave ringing near an edge: up to a quarter of its height beside a lesion. There
the parts that are connected above a quarter of the brightest level are looked at one by one, and a pixel is marked
where it is above half of the brightest level of its part: lesions of several grey levels all count, and each keeps the
edge it was drawn with. Where a part has less than half of the brightest level and marks no square of 3 x 3 pixels, it
is ringing. Levels below 32 of 255 cannot be told from it at all; a file with no higher ones comes out empty.
"""
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from experiments.system.errors import Failure

FAINTEST = 32  # of 255


def marked(levels: np.ndarray, lossy: bool) -> np.ndarray:
    """(H, W) bool from levels (H, W) of any real dtype; lossy: they were compressed with loss."""
    if not lossy:
        return levels != levels.min()
    above = levels.astype(np.float64) - float(levels.min())
    highest = above.max()
    if levels.dtype == np.uint8 and highest < FAINTEST:
        return np.zeros(levels.shape, dtype=bool)
    parts, count = ndimage.label(above > highest / 4, np.ones((3, 3)))
    brightest = np.zeros(count + 1)
    inside = parts > 0
    np.maximum.at(brightest, parts[inside], above[inside])
    found = inside & (above > brightest[parts] / 2)
    kept = brightest > highest / 2
    kept[parts[ndimage.binary_erosion(found, np.ones((3, 3)))]] = True
    return found & kept[parts]


@dataclass
class Darkest:
    """The colours of the darkest level, as the rows of a mask go by: at most two of them, a level or colour each."""
    level: float = float("inf")
    found: set[float] = field(default_factory=set)

    def see(self, levels: np.ndarray, colours: np.ndarray) -> None:
        """levels, colours: (h, w), a number for each colour."""
        lowest = levels.min()
        if lowest > self.level:
            return
        if lowest < self.level:
            self.level, self.found = lowest, set()
        at = colours[levels == lowest]
        other = at[at != at[0]]
        self.found |= {at[0].item(), *other[:1].tolist()}

    def ambiguous(self, levels: np.ndarray) -> bool:
        """Whether one of them might be a lesion: black and transparent are background together, if anything else is
        there. levels: (H, W) of the whole mask."""
        return len(self.found) > 1 and (self.level != 0 or not levels.any())


def require_told(mask: np.ndarray, levels: np.ndarray, name: str) -> None:
    """Raises `Failure` where a mask (H, W) bool is empty and the file it was read from is not. name: of that file."""
    if not mask.any() and levels.min() != levels.max():
        raise Failure(f"{name}: this mask comes out empty, and its file is not: its levels reach from {levels.min()} "
                      f"to {levels.max()}, and in a file that is compressed with loss those below {FAINTEST} of 255 "
                      "count as black. Save it without loss, as PNG, or with the lesion in a brighter colour")


def require_lesion(mask: np.ndarray, name: str, place: str) -> None:
    """Raises `Failure` for a mask (H, W) bool that marks nothing, all corners or most of the image's edge. name: of its
    file; place: the file and line that list it.
    """
    if not mask.any():
        raise Failure(f"{place}: the mask {name} is empty: it has one level everywhere. Draw the lesion in another "
                      "colour than black, or leave the mask out if it is not known where the lesion is")
    corners = mask[[0, 0, -1, -1], [0, -1, 0, -1]].all()
    if corners or np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean() > 0.5:
        marks = "all four corners" if corners else "more than half of the edge"
        raise Failure(f"{place}: the mask {name} marks {marks} of the image. Expected a background of 0 (black) or "
                      "transparent, and any other value on the lesion")
