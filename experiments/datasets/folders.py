"""The folders below a folder, which may be links."""
import os
from collections.abc import Iterator


def folders_below(folder: str | os.PathLike[str], strict: bool = True) -> Iterator[tuple[str, list[str]]]:
    """(path, names of its files, sorted) of the folder and all below it, in the order of their names.

    Links are followed, since images often lie on another disk; each folder is visited once, under the first name that
    leads to it, so that links to themselves, to folders above and to each other do no harm. If `strict`, raises OSError
    for a folder that may not be listed: what it holds would be left out without a word.
    """
    visited: set[str] = set()
    for place, below, names in os.walk(folder, followlinks=True, onerror=_refuse if strict else None):
        real = os.path.realpath(place)
        if real in visited:
            below.clear()
            continue
        visited.add(real)
        below.sort()
        yield place, sorted(names)


def _refuse(error: OSError) -> None:
    raise error
