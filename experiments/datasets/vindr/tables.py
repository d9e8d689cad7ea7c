"""The tables of VinDr-Mammo: one row an image, one row a finding, and one row an image of what its DICOM header says.

    breast-level_annotations.csv   study_id, image_id, laterality, view_position, height, width, breast_birads
                                   ("BI-RADS 4"), breast_density ("DENSITY C"), split ("training" or "test")
    finding_annotations.csv        the same, and finding_categories (a Python list), xmin, ymin, xmax, ymax: pixels of
                                   the image, (0, 0) its upper left corner; images without findings stand there, too
    metadata.csv                   SOP Instance UID, which is the image_id; Manufacturer's Model Name; Patient's Age
"""
import ast
import math
import re
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.birads import ASSESSMENTS
from experiments.datasets.mammogram import PARTS
from experiments.datasets.tables import read_table
from experiments.system.errors import Failure

BREASTS, FINDINGS, METADATA = "breast-level_annotations.csv", "finding_annotations.csv", "metadata.csv"
SHARED = ("study_id", "image_id", "laterality", "view_position", "breast_birads", "breast_density", "split")
IMAGE_COLUMNS = (*SHARED, "height", "width")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
FINDING_COLUMNS = (*SHARED, "finding_categories", *CORNERS)
UID, MODEL, AGE = "sop instance uid", "manufacturer's model name", "patient's age"
SIDES = {"L": "left", "R": "right"}
DENSITIES = {"": "", "DENSITY A": "1", "DENSITY B": "2", "DENSITY C": "3", "DENSITY D": "4"}
NO_FINDING = "No Finding"
NAME = re.compile(r"[\w-]{1,100}", re.ASCII)
PIXELS = re.compile(r"[1-9]\d{0,5}", re.ASCII)
YEARS = re.compile(r"(\d{3})Y", re.ASCII)  # DICOM's age string

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Image:
    """One row. shape: height and width in pixels; birads: "4"; density: "1" to "4" or ""; place: its file and line."""
    study: str
    name: str
    breast: str
    view: str
    shape: tuple[int, int]
    birads: str
    density: str
    part: str
    shared: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One row with a box, (xmin, ymin, xmax, ymax), and what it shows."""
    box: Box
    categories: tuple[str, ...]
    place: str


def read_images(folder: Path) -> dict[str, Image]:
    """By image_id, in the order of the table. Raises `Failure`, naming file and line, for what `read_table` refuses, an
    unknown breast, assessment, density or part, a name that no file can have, and an image that is listed twice."""
    images: dict[str, Image] = {}
    for cells, place in read_table(folder / BREASTS, IMAGE_COLUMNS):
        image = _image(cells, place)
        earlier = images.setdefault(image.name, image)
        if earlier is not image:
            raise Failure(f"{place}: the image {image.name} is listed already in {earlier.place.rpartition(', ')[2]}")
    if not images:
        raise Failure(f"{folder / BREASTS}: lists no images")
    return images


def read_findings(folder: Path, images: dict[str, Image]) -> dict[str, list[Finding]]:
    """By image_id, those with a box. Raises `Failure`, naming file and line, for what `read_table` refuses, an image
    that the other table does not list or of which it says something else, and a box that cannot be one."""
    findings: dict[str, list[Finding]] = {}
    for cells, place in read_table(folder / FINDINGS, FINDING_COLUMNS):
        image = images.get(cells["image_id"])
        if image is None:
            raise Failure(f"{place}: {BREASTS} does not list the image {cells['image_id'][:100]!r}")
        differing = [column for column, value in zip(SHARED, image.shared, strict=True) if cells[column] != value]
        if differing:
            raise Failure(f"{place}: says of the image another {', '.join(differing)} than {image.place}")
        categories, box = _categories(cells["finding_categories"], place), _box(cells, image.shape, place)
        if (box is None) != (categories == (NO_FINDING,)):
            raise Failure(f"{place}: {', '.join(categories)!r} {'without' if box is None else 'with'} a box; expected "
                          f"a box for every finding, and {NO_FINDING!r} without one")
        if box is not None:
            findings.setdefault(image.name, []).append(Finding(box, categories, place))
    return findings


def read_headers(folder: Path) -> dict[str, tuple[str, str]]:
    """(model of the scanner, age in years) by image_id, each "" where it is not known; nothing where the table is not
    in the folder."""
    if not (folder / METADATA).is_file():
        return {}
    rows = read_table(folder / METADATA, (UID,), (MODEL, AGE))
    return {cells[UID]: (cells[MODEL], _years(cells[AGE])) for cells, _ in rows}


def _image(cells: dict[str, str], place: str) -> Image:
    for column in ("study_id", "image_id"):
        if not NAME.fullmatch(cells[column]):
            raise Failure(f"{place}: the {column} {cells[column][:100]!r} cannot be the name of a file or folder")
    birads = cells["breast_birads"].lower().removeprefix("bi-rads").strip()
    for column, known in (("laterality", cells["laterality"] in SIDES), ("breast_birads", birads in ASSESSMENTS),
                          ("breast_density", cells["breast_density"] in DENSITIES),
                          ("split", cells["split"] in PARTS[1:])):
        if not known:
            raise Failure(f"{place}: unknown {column} {cells[column][:100]!r}; expected for example L, BI-RADS 4, "
                          "DENSITY C, training")
    if not (PIXELS.fullmatch(cells["height"]) and PIXELS.fullmatch(cells["width"])):
        raise Failure(f"{place}: the height {cells['height'][:20]!r} or the width {cells['width'][:20]!r} is no whole "
                      "number of pixels")
    return Image(cells["study_id"], cells["image_id"], SIDES[cells["laterality"]], cells["view_position"],
                 (int(cells["height"]), int(cells["width"])), birads, DENSITIES[cells["breast_density"]],
                 cells["split"], tuple(cells[column] for column in SHARED), place)


def _categories(text: str, place: str) -> tuple[str, ...]:
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        names = None
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise Failure(f"{place}: cannot understand the finding_categories {text[:100]!r}; expected for example "
                      f"['Mass', 'Skin Retraction'] or ['{NO_FINDING}']")
    return tuple(sorted(set(names)))


def _box(cells: dict[str, str], shape: tuple[int, int], place: str) -> Box | None:
    """A box may reach a few pixels beyond the image's edge, as some do; it is cut there."""
    texts = [cells[corner] for corner in CORNERS]
    if not any(texts):
        return None
    try:
        left, top, right, bottom = map(float, texts)
    except ValueError:
        left = top = right = bottom = math.nan
    height, width = shape
    if not (left < right and top < bottom and right > 0 and bottom > 0 and left < width and top < height
            and all(map(math.isfinite, (left, top, right, bottom)))):
        raise Failure(f"{place}: {', '.join(texts)[:100]} is no box (xmin, ymin, xmax, ymax) in an image of {width} x "
                      f"{height} pixels (width x height)")
    return left, top, right, bottom


def _years(age: str) -> str:
    match = YEARS.fullmatch(age)
    return str(int(match[1])) if match else ""
