"""One mammogram, whatever data set it comes from."""
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

CLASSES = ("cancer", "normal", "benign")
THESIS = "DDSM"
CLASSES_OF = {2: ("cancer", "benign"), 3: CLASSES}  # by their number: the classes that a run tells apart

TRAINING, TEST = "training", "test"
BREASTS = ("", "left", "right")
PARTS = ("", TRAINING, TEST)
# view: "CC", "MLO", ...; density: of the breast, "1" to "4" (ACR a to d); age: whole years; scanner: who made it, which
# model or site; finding: kinds of lesion as the set names them, "mass, calcification"
FACTS = ("view", "density", "age", "scanner", "finding")

Pixels = tuple[np.ndarray, np.ndarray | None]


@dataclass(frozen=True, slots=True)
class Mammogram:
    """A labelled view of one breast; its pixels stay on disk until they are asked for.

    name         unique within the data set; the file's path for a set made of files
    patient      whose breast it is: images of one patient never stand on both sides of a split
    label        one of `CLASSES`
    source       the digitizer or collection, for finding differences between scanners
    breast       "left" or "right"; "" where the set does not tell. With the patient it names a breast
    part         of the set's own split that the image belongs to, `TRAINING` or `TEST`; "" where it has no own split
    facts        what else the set tells of it, by name: see `FACTS`
    fingerprint  changes when the files or the annotation behind the image change; cheap, without reading them
    load         () -> (image, mask): image (H, W) of any real dtype, as in the file; mask (H, W) bool, or None where
                 nothing is annotated. Can be pickled, so that worker processes can call it
    """

    name: str
    patient: str
    label: str
    source: str
    fingerprint: str
    load: Callable[[], Pixels] = field(repr=False, compare=False)
    breast: str = ""
    part: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.label not in CLASSES:
            raise ValueError(f"label {self.label!r} of {self.name}: expected one of {', '.join(CLASSES)}")
        if self.breast not in BREASTS or self.part not in PARTS or not {name for name, _ in self.facts} <= {*FACTS}:
            raise ValueError(f"{self.name}: breast {self.breast!r}, part {self.part!r}, facts {self.facts}: expected "
                             f"one of {BREASTS}, one of {PARTS}, facts of {FACTS}")

    def image(self) -> np.ndarray:
        """(H, W), the grey levels as in the file."""
        return self.load()[0]

    def mask(self) -> np.ndarray | None:
        """(H, W) bool, True on the lesions; None where nothing is annotated."""
        return self.load()[1]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a reader found in a folder.

    name       of the collection, for reports; THESIS where it is the thesis's own
    mammograms the usable images, in an order that depends on the data alone
    excluded   reason -> number of images left out
    notes      sentences that whoever reads a result on these data must know
    marked     whether the set marks where lesions are; without that a classifier can learn from it, a detector cannot
    """

    name: str
    mammograms: list[Mammogram]
    excluded: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    marked: bool = True


def file_fingerprint(*paths: Path) -> str:
    """A text that changes when one of the files is replaced or written to, from what the file system knows of it.

    The change time stands beside the modification time because copying programs and archives set the latter back.
    """
    states = [(path.resolve(), path.stat()) for path in paths]
    return "|".join(f"{printable(str(path))}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
                    for path, stat in states)


def printable(name: str) -> str:
    """The name with \\udcff for a byte that is no UTF-8, as Linux allows them: it can then be written and hashed."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
