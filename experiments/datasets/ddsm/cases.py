"""The cases of a DDSM folder, and which of them are one.

Eight case numbers name two women each, in two volumes: a case is its volume and its number. Ten others stand in two
volumes as repeats of one case, which only their files tell: a woman has no image in common with another.
"""
import filecmp
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.datasets.ddsm.ics import NAME, ics_of
from experiments.datasets.folders import folders_below

VOLUME = re.compile(r"(normal|cancer|benign_without_callback|benign)s?(_\d+)?", re.ASCII)


def find_cases(folder: Path, strict: bool = True) -> Iterator[tuple[Path, list[Path]]]:
    """(.ics file, which may be absent; the case's .LJPEG files) of all cases below the folder, sorted by path.

    If `strict`, raises OSError for a folder that may not be listed.
    """
    for place, names in folders_below(folder, strict):
        cases: dict[Path, list[Path]] = defaultdict(list)
        for name in names:
            if NAME.fullmatch(name):
                cases[Path(place, name)] += []
            elif name.endswith(".LJPEG"):
                cases[ics_of(Path(place, name))].append(Path(place, name))
        yield from sorted(cases.items())


def is_repeat(case: tuple[str, Path, Sequence[Path]], earlier: tuple[str, Path, Sequence[Path]]) -> bool:
    """Whether two cases (volume, .ics file, images) of one number are of one woman."""
    (volume, ics, images), (other_volume, other_ics, other_images) = case, earlier
    others = {image.name: image for image in other_images}
    both = [(image, others[image.name]) for image in images if image.name in others] or [(ics, other_ics)]
    return volume == other_volume or any(
        one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False) for one, other in both)


def volume_of(case: Path, folder: Path) -> tuple[str, str]:
    """Kind and name by the nearest folder that is named like a volume: cancers/cancer_01/case0001 -> cancer, cancer_01.
    """
    for place in (case, *case.parents):
        match = VOLUME.fullmatch(os.path.basename(os.path.abspath(place)).lower())
        if match:
            return match[1], match[0]
        if place == folder:
            break
    return "", ""
