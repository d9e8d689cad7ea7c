"""Which image files a user means: files, folders, patterns in quotes."""
from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from experiments.system.errors import UsageError

SUFFIXES = (".pgm", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom")
MAGIC = "*?["  # what makes a name a pattern


def find_images(given: Sequence[str]) -> list[Path]:
    """Files as they are, whether they exist or not; of a folder its image files, by their suffix; of a pattern what
    fits it, as a shell would, ** standing for folders below each other. The two latter in the order of the names.

    Links to folders are not followed. Raises UsageError for a folder without images and a pattern that nothing fits.
    """
    return [path for each in given for path in _meant(each)]


def _meant(given: str) -> list[Path]:
    if os.path.isdir(given):
        return _inside(Path(given))
    if os.path.lexists(given) or not any(sign in given for sign in MAGIC):
        return [Path(given)]
    parts = Path(given).parts
    plain = next(place for place, part in enumerate(parts) if any(sign in part for sign in MAGIC))
    try:
        found = sorted(path for path in Path(*parts[:plain]).glob(str(Path(*parts[plain:]))) if not path.is_dir())
    except (OSError, ValueError) as error:
        raise UsageError(f"{given}: the pattern cannot be followed ({error})") from error
    if not found:
        raise UsageError(f"{given}: there is no such file, and as a pattern it fits none")
    return found


def _inside(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder}: the folder cannot be read ({error.strerror})") from error
    images = [path for path in entries if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    if not images:
        raise UsageError(f"{folder}: no images in this folder itself (names that end in {', '.join(SUFFIXES)}). For "
                         "those in the folders below it give a pattern with their ending, such as "
                         f"'{folder}/**/*.png'")
    return images
