"""Whether two names are of one file: ./i.pgm, ../set/i.pgm, an absolute path, another case, a link."""
import os
from pathlib import Path

from experiments.system.errors import Failure


class ListedFiles:
    """The files that a table lists. What is one file is asked of the file system, not of the names."""

    def __init__(self) -> None:
        self._images: dict[tuple[int, int], tuple[Path, str]] = {}
        self._masks: dict[tuple[int, int], tuple[Path, str]] = {}

    def image(self, path: Path, place: str) -> None:
        """Raises `Failure` where the image is listed already, be it as a mask. place: file and line that list it."""
        earlier = self._find(self._images, path)
        if earlier:
            raise Failure(f"{place}: image {path.name} is listed already in {_line(earlier[1])}"
                          f"{f' as {earlier[0]}' if earlier[0] != path else ''}; join its lesions in one mask")
        mask = self._find(self._masks, path)
        if mask:
            raise Failure(f"{place}: the image {path} is listed as a mask in {_line(mask[1])}")
        self._images[_identity(path)] = path, place

    def mask(self, path: Path, place: str) -> None:
        """Raises `Failure` where the mask is an image of the table. Several images may share an empty mask."""
        image = self._find(self._images, path)
        if image:
            raise Failure(f"{place}: the mask {path} is listed as an image in {_line(image[1])}")
        self._masks.setdefault(_identity(path), (path, place))

    @staticmethod
    def _find(listed: dict[tuple[int, int], tuple[Path, str]], path: Path) -> tuple[Path, str] | None:
        earlier = listed.get(_identity(path))
        # asked again, since some file systems number their files anew when they are forgotten
        return earlier if earlier and os.path.samefile(earlier[0], path) else None


def _identity(path: Path) -> tuple[int, int]:
    stat = os.stat(path)
    return stat.st_dev, stat.st_ino


def _line(place: str) -> str:
    return place.rpartition(", ")[2]
