"""The mini-MIAS set: Info.txt beside 1024x1024 PGM films (Suckling et al. 1994), all of the mediolateral oblique view.

The breast is that of the README that comes with the set: left where the number is even, right where it is odd. The
names of the full-size MIAS (mdb001lm, mdb002rl) say the opposite; the pairing of the films is the same in both. The
tissue F, G, D is no ACR density and is left out.
"""
import re
from codecs import BOM_UTF8
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from experiments.datasets.choices import DEFAULT, Choices
from experiments.datasets.images.reading import read_image
from experiments.datasets.mammogram import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.datasets.same_files import ListedFiles
from experiments.system.errors import Failure

LOOKS_LIKE = "mini-MIAS: Info.txt beside the films mdb001.pgm, mdb002.pgm, ..."
HYBRID = "hybrid (findings of different classes in one image)"
UNLISTED = "in the folder, not listed in Info.txt"

Circle = tuple[float, float, float]
LABELS = {"B": "benign", "M": "cancer"}
KINDS = ("CALC", "CIRC", "SPIC", "MISC", "ARCH", "ASYM")
NAME = re.compile(r"[\w-]{1,100}", re.ASCII)
NUMBER = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of Info.txt. kind: one of `KINDS`, "" for a normal film; circle: x, y from the bottom, radius in pixels;
    None where none is given.
    """

    film: str
    kind: str
    label: str
    circle: Circle | None
    place: str


def recognise(folder: Path) -> bool:
    return (folder / "Info.txt").is_file()


def read(folder: Path, choices: Choices = DEFAULT) -> Dataset:
    """The films that Info.txt lists. Several findings of a film make one mask; a film with a benign and a malignant
    finding is a hybrid and is excluded. Films 2k-1 and 2k are the right and the left breast of one woman.

    Raises `Failure` for a row that cannot be understood, for films that are listed and absent, for two names of one
    film, and for a film that is normal in one line and has a finding in another.
    """
    info = folder / "Info.txt"
    rows: dict[str, list[Finding]] = defaultdict(list)
    for finding in _findings(info):
        rows[finding.film].append(finding)
    absent = [f"{name}.pgm" for name in rows if not (folder / f"{name}.pgm").is_file()]
    if absent:
        shown = ", ".join(absent[:5]) + (", ..." if len(absent) > 5 else "")
        raise Failure(f"{info} lists {len(absent)} of {len(rows)} films that are not in the folder: {shown}. "
                      "Copy them there, or remove their lines from Info.txt")
    if not rows:
        raise Failure(f"{info}: lists no films")

    mammograms, excluded, files = [], Counter[str](), ListedFiles()
    for name in sorted(rows):
        path = folder / f"{name}.pgm"
        files.image(path, rows[name][0].place)
        labels = {finding.label for finding in rows[name]}
        if "normal" in labels and len(labels) > 1:
            raise Failure(f"{rows[name][-1].place}: {name} is normal in one line and has a finding in another")
        if len(labels) > 1:
            excluded[HYBRID] += 1
            continue
        circles = tuple(finding.circle for finding in rows[name] if finding.circle is not None)
        mammograms.append(Mammogram(
            name=path.name, patient=_patient(name), label=labels.pop(), source="mini-mias",
            fingerprint=f"{file_fingerprint(path)}|{circles}",
            load=partial(_load, path, circles, rows[name][0].place, choices.max_pixels),
            breast=_breast(name), facts=_facts(rows[name])))
    unlisted = sum(path.suffix == ".pgm" and path.stem not in rows for path in folder.iterdir())
    return Dataset("mini-MIAS", mammograms, dict(excluded) | ({UNLISTED: unlisted} if unlisted else {}))


def _findings(info: Path) -> Iterator[Finding]:
    text = info.read_bytes().removeprefix(BOM_UTF8).decode("latin-1")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _parse(line, f"{info}, line {number}")


def _parse(line: str, place: str) -> Finding:
    """From: name, tissue, class, and for abnormal films severity, x, y, radius; a note, or nothing, in place of the
    three numbers where the findings are too widespread to be marked.
    """
    words = line.split()
    film, kind, severity = words[0], words[2] if len(words) > 2 else "", words[3] if len(words) > 3 else ""
    where = words[4:]
    if NAME.fullmatch(film):
        if kind == "NORM" and len(words) == 3:
            return Finding(film, "", "normal", None, place)
        if kind in KINDS and severity in LABELS and (not where or where[0].startswith("*")):
            return Finding(film, kind, LABELS[severity], None, place)
        if kind in KINDS and severity in LABELS and len(where) == 3 and all(map(NUMBER.fullmatch, where)):
            x, y, radius = (int(number) if number.is_integer() else number for number in map(float, where))
            return Finding(film, kind, LABELS[severity], (x, y, radius), place)
    raise Failure(f"{place}: cannot understand {line.strip()[:100]!r}; expected for example 'mdb003 D NORM', "
                  "'mdb005 F CIRC B 477 133 30' (severity B or M; x, y and radius in pixels), or 'mdb216 D CALC M "
                  "*NOTE 3*' where no circle is given")


def _patient(name: str) -> str:
    """'mdb005' and 'mdb006' -> 'mdb005-006'."""
    number = _number(name)
    if number == 0:
        return name
    first = (number - 1) // 2 * 2 + 1
    return f"mdb{first:03d}-{first + 1:03d}"


def _breast(name: str) -> str:
    number = _number(name)
    return "" if number == 0 else "right" if number % 2 else "left"


def _number(name: str) -> int:
    """'mdb005' -> 5; 0 for other names."""
    match = re.fullmatch(r"mdb(\d{1,6})", name, re.ASCII)
    return int(match[1]) if match else 0


def _facts(findings: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    kinds = sorted({finding.kind for finding in findings} - {""})
    return ("view", "MLO"), *((("finding", ", ".join(kinds)),) if kinds else ())


def _load(path: Path, circles: Sequence[Circle], place: str, max_pixels: int) -> Pixels:
    image = read_image(path, max_pixels)
    return image, circles_mask(circles, image.shape, path, place) if circles else None


def circles_mask(circles: Sequence[Circle], shape: tuple[int, ...], path: Path, place: str) -> np.ndarray:
    """(H, W) bool: the union of circles (x, y, radius) in pixels, y counted from the bottom row. place: file and line
    of the first."""
    height, width = shape
    rows, columns = np.ogrid[:height, :width]
    mask = np.zeros(shape, dtype=bool)
    for x, y, radius in circles:
        circle = (columns - x) ** 2 + (rows - (height - 1 - y)) ** 2 <= radius**2
        if not circle.any():
            raise Failure(f"{place}: {path} has a finding at x {x}, y {y}, radius {radius}, outside the film of "
                          f"{width} x {height} pixels")
        mask |= circle
    return mask
