"""The .OVERLAY file of a DDSM view: its lesions, their pathology and their outlines."""
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.datasets.ddsm.outline import Outline
from experiments.system.errors import Failure

PATHOLOGIES = ("MALIGNANT", "BENIGN", "BENIGN_WITHOUT_CALLBACK", "UNPROVEN")
DIRECTIONS = frozenset("01234567")
KIND = "LESION_TYPE"
NOT_USED = ("ASSESSMENT", "SUBTLETY")

Lines = Iterator[tuple[str, list[str]]]  # (file and line, words)


@dataclass(frozen=True, slots=True)
class Lesion:
    """kinds: 'MASS', 'CALCIFICATION', ..., one or two; pathology: one of `PATHOLOGIES`; boundary: what the radiologist
    drew. Cores, drawn inside it, are not kept.
    """

    kinds: tuple[str, ...]
    pathology: str
    boundary: Outline


def read_overlay(path: Path, size: tuple[int, int]) -> list[Lesion]:
    """The lesions of a view of size (LINES, PIXELS_PER_LINE), at least one.

    Raises `Failure`, naming file and line, for what cannot be understood, for counts that do not fit, and for a
    boundary that leaves the image or does not close.
    """
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise Failure(f"{path}: cannot be read ({error.strerror or error})") from error
    lines: Lines = ((f"{path}, line {number}", line.split())
                    for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    end = (f"{path}, line {text.rstrip().count(chr(10)) + 1}", ["(end of the file)"])
    total = _number(*next(lines, end), "TOTAL_ABNORMALITIES")
    lesions = [_lesion(lines, end, number, size) for number in range(1, total + 1)]
    place, words = next(lines, (end[0], []))
    if words:
        raise Failure(f"{place}: {total} abnormalities were announced and {' '.join(words)[:40]!r} comes after them")
    return lesions


def lesions_mask(lesions: list[Lesion], size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: all pixels on and inside a boundary."""
    mask = np.zeros(size, dtype=bool)
    for lesion in lesions:
        lesion.boundary.fill(mask)
    return mask


def _lesion(lines: Lines, end: tuple[str, list[str]], number: int, size: tuple[int, int]) -> Lesion:
    place, words = next(lines, end)
    if words != ["ABNORMALITY", str(number)]:
        raise Failure(f"{place}: expected 'ABNORMALITY {number}', found {' '.join(words)[:40]!r}")
    place, words = next(lines, end)
    kinds: list[str] = []
    while words[0] in (KIND, *NOT_USED):
        kinds += words[1:2] if words[0] == KIND else ()
        place, words = next(lines, end)
    if len(words) != 2 or words[0] != "PATHOLOGY" or words[1] not in PATHOLOGIES:
        raise Failure(f"{place}: expected PATHOLOGY and one of {', '.join(PATHOLOGIES)}, found "
                      f"{' '.join(words)[:40]!r}")
    pathology = words[1]
    outlines = _number(*next(lines, end), "TOTAL_OUTLINES")
    boundary = _outline(lines, end, "BOUNDARY")
    fault = boundary.fault(size)
    if fault:
        raise Failure(f"{boundary.place}: {fault}")
    for _ in range(outlines - 1):
        _outline(lines, end, "CORE")
    return Lesion(tuple(kinds), pathology, boundary)


def _number(place: str, words: list[str], keyword: str) -> int:
    if len(words) != 2 or words[0] != keyword or not _is_number(words[1]) or int(words[1]) == 0:
        raise Failure(f"{place}: expected {keyword} and a number of at least 1, found {' '.join(words)[:40]!r}")
    return int(words[1])


def _outline(lines: Lines, end: tuple[str, list[str]], kind: str) -> Outline:
    """A line with BOUNDARY or CORE, then: column row direction direction ... #"""
    place, words = next(lines, end)
    if words != [kind]:
        raise Failure(f"{place}: expected {kind}, found {' '.join(words)[:40]!r}")
    place, words = next(lines, end)
    *chain, last = words
    if last != "#" or len(chain) < 3 or not (_is_number(chain[0]) and _is_number(chain[1])):
        raise Failure(f"{place}: expected a chain code: column, row, directions and '#', found a line that begins "
                      f"{' '.join(words)[:30]!r} and ends {' '.join(words)[-10:]!r}")
    strange = set(chain[2:]) - DIRECTIONS
    if strange:
        raise Failure(f"{place}: {min(strange)[:10]!r} is not a direction of a chain code; expected 0 to 7")
    directions = np.frombuffer("".join(chain[2:]).encode(), np.uint8) - ord("0")
    return Outline(int(chain[1]), int(chain[0]), directions, place)


def _is_number(word: str) -> bool:
    """A number that fits a size or a count."""
    return word.isascii() and word.isdigit() and len(word) <= 6
