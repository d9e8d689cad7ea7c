"""What a mask file marks: everything that is not background. Background is the darkest level, or transparent.

In a file without loss a pixel is marked where its brightest colour is above the background: red, a palette's colours,
grey 100, labels 1 and 2, 0 to 4095 are all understood. A file whose background is bright is refused.

JPEG and other compression with loss leave ringing near an edge: up to a quarter of its height beside a lesion. There
the parts that are connected above a quarter of the brightest level are looked at one by one, and a pixel is marked
where it is above half of the brightest level of its part: lesions of several grey levels all count, and each keeps the
edge it was drawn with. Where a part has less than half of the brightest level and marks no square of 3 x 3 pixels, it
is ringing. Levels below 32 of 255 cannot be told from it at all; a file with no higher ones comes out empty.
"""
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


def require_lesion(mask: np.ndarray, name: str, place: str) -> None:
    """Raises `Failure` for a mask (H, W) bool that marks nothing or leaves no background. name: of its file; place: the
    file and line that list it.
    """
    if not mask.any():
        raise Failure(f"{place}: the mask {name} is empty: it has one level everywhere (in a JPEG, what is below "
                      f"{FAINTEST} of 255 counts as black). Draw the lesion in another colour than black, or leave the "
                      "mask out if it is not known where the lesion is")
    if mask[[0, 0, -1, -1], [0, -1, 0, -1]].all():
        raise Failure(f"{place}: the mask {name} marks all four corners of the image. Expected a background of 0 "
                      "(black) or transparent, and any other value on the lesion")
