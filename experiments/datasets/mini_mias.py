"""The mini-MIAS set: Info.txt beside 1024x1024 PGM films (Suckling et al. 1994)."""
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from experiments.datasets.images import read_image
from experiments.datasets.record import Dataset, Mammogram, Pixels, file_fingerprint
from experiments.errors import Failure

LOOKS_LIKE = "mini-MIAS: Info.txt beside the films mdb001.pgm, mdb002.pgm, ..."

Circle = tuple[int, int, int]
LABELS = {"NORM": "normal", "B": "benign", "M": "cancer"}


def recognise(folder: Path) -> bool:
    return (folder / "Info.txt").is_file()


def read(folder: Path) -> Dataset:
    """The films that Info.txt lists. Several findings of a film make one mask; a film with a benign and a malignant
    finding is a hybrid and is excluded. Films 2k-1 and 2k are the two breasts of one woman.

    Raises `Failure` for a row that cannot be understood and for films that are listed and absent.
    """
    info = folder / "Info.txt"
    rows: dict[str, list[tuple[str, Circle | None]]] = defaultdict(list)
    for number, line in enumerate(info.read_text(encoding="latin-1").splitlines(), start=1):
        if line.strip():
            name, label, circle = _parse(line, f"{info}, line {number}")
            rows[name].append((label, circle))
    absent = [f"{name}.pgm" for name in rows if not (folder / f"{name}.pgm").is_file()]
    if absent:
        shown = ", ".join(absent[:5]) + (", ..." if len(absent) > 5 else "")
        raise Failure(f"{info} lists {len(absent)} of {len(rows)} films that are not in the folder: {shown}. "
                      "Copy them there, or remove their lines from Info.txt")
    if not rows:
        raise Failure(f"{info}: lists no films")

    mammograms, excluded = [], Counter[str]()
    for name in sorted(rows):
        labels = {label for label, _ in rows[name]}
        if len(labels) > 1:
            excluded["hybrid (findings of different classes in one image)"] += 1
            continue
        path = folder / f"{name}.pgm"
        circles = tuple(circle for _, circle in rows[name] if circle is not None)
        mammograms.append(Mammogram(
            name=path.name, patient=_patient(name), label=labels.pop(), source="mini-mias",
            fingerprint=f"{file_fingerprint(path)}|{circles}", load=partial(_load, path, circles)))
    return Dataset("mini-MIAS", mammograms, dict(excluded))


def _parse(line: str, place: str) -> tuple[str, str, Circle | None]:
    """name, label, circle from: name, tissue, class, and for abnormal films severity, x, y, radius (or a note)."""
    words = line.split()
    kind = words[2] if len(words) > 2 else ""
    severity = words[3] if len(words) > 3 else ""
    label = LABELS.get("NORM" if kind == "NORM" else severity)
    if label is None:
        raise Failure(f"{place}: cannot understand {line.strip()!r}; expected for example 'mdb003 D NORM' or "
                      "'mdb005 F CIRC B 477 133 30' (severity B or M)")
    if label == "normal" or len(words) != 7 or not all(word.isdigit() for word in words[4:]):
        return words[0], label, None
    x, y, radius = (int(word) for word in words[4:])
    return words[0], label, (x, y, radius)


def _patient(name: str) -> str:
    """'mdb005' and 'mdb006' -> 'mdb005-006'."""
    digits = name.removeprefix("mdb")
    if not digits.isdigit():
        return name
    first = (int(digits) - 1) // 2 * 2 + 1
    return f"mdb{first:03d}-{first + 1:03d}"


def _load(path: Path, circles: Sequence[Circle]) -> Pixels:
    image = read_image(path)
    return image, circles_mask(circles, image.shape, path) if circles else None


def circles_mask(circles: Sequence[Circle], shape: tuple[int, ...], path: Path) -> np.ndarray:
    """(H, W) bool: the union of circles (x, y, radius) in pixels, y counted from the bottom row."""
    height, width = shape
    rows, columns = np.ogrid[:height, :width]
    mask = np.zeros(shape, dtype=bool)
    for x, y, radius in circles:
        circle = (columns - x) ** 2 + (rows - (height - 1 - y)) ** 2 <= radius**2
        if not circle.any():
            raise Failure(f"{path}: Info.txt puts a finding at x {x}, y {y}, radius {radius}, outside the film of "
                          f"{width} x {height} pixels")
        mask |= circle
    return mask
