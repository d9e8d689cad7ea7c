"""The description files of CBIS-DDSM: one row an abnormality, with the paths of image, crop and mask.

The first release (2016) named the columns otherwise and wrote the paths with backslashes. The files lie in the folder
itself or, repackaged, in `csv` below it.
"""
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from experiments.datasets.tables import missing_columns, read_table
from experiments.system.errors import Failure

LABELS = {"MALIGNANT": "cancer", "BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign"}
BREASTS, PROJECTIONS = ("LEFT", "RIGHT"), ("CC", "MLO")
NAMES = tuple(f"{kind}_case_description_{part}_set.csv" for kind in ("mass", "calc") for part in ("train", "test"))
IMAGE, CROP, MASK = "image file path", "cropped image file path", "ROI mask file path"
DENSITY = ("breast density", "breast_density")  # the tables of calcifications and of masses name it so
KIND = "abnormality type"
COLUMNS = ("patient_id", "left or right breast", "image view", "pathology", IMAGE, CROP, MASK)
FIRST_RELEASE = dict(zip(COLUMNS, ("patient_id", "side", "view", "pathology", "od_img_path", "od_crop_path",
                                   "mask_path"), strict=True))
COLLECTION = "CBIS-DDSM"  # the folder above the subjects' folders, with which some paths begin


@dataclass(frozen=True, slots=True)
class Cell:
    """What a path cell says: subject / study UID / series UID / file. Newer downloads keep the subject, older ones the
    series too; the file's name is not reliable, and mask and crop are exchanged in places."""

    subject: str
    series: str


@dataclass(frozen=True, slots=True)
class Abnormality:
    """One row. density: '1' to '4' (ACR), '' where the table says nothing or 0; kind: 'mass', 'calcification';
    place: its file and line, for messages.
    """

    patient: str
    breast: str
    projection: str
    label: str
    density: str
    kind: str
    image: Cell
    crop: Cell
    mask: Cell
    place: str

    @property
    def view(self) -> tuple[str, str, str]:
        return self.patient, self.breast, self.projection


def tables(folder: Path) -> list[Path]:
    for place in (folder, folder / "csv"):
        found = [place / name for name in NAMES if (place / name).is_file()]
        if found:
            return found
    return []


def read_tables(folder: Path) -> list[list[Abnormality]]:
    """The abnormalities of each view, sorted by patient, breast and projection.

    Raises `Failure`, naming file and line, for what `experiments.datasets.tables` refuses, an empty cell, a path that
    is none, an unknown breast, projection or pathology, a mask that is listed twice, and an image of two views.
    """
    views: dict[tuple[str, str, str], list[Abnormality]] = defaultdict(list)
    masks: dict[str, str] = {}
    images: dict[Cell, Abnormality] = {}
    for table in tables(folder):
        names = _names(table)
        for cells, place in read_table(table, tuple(names.values()), (*DENSITY, KIND)):
            text = {column: cells[name] for column, name in names.items()}
            text[KIND] = cells[KIND] or ("mass" if table.name.startswith("mass") else "calcification")
            row = _abnormality(text | {column: cells[column] for column in DENSITY}, place)
            if masks.setdefault(text[MASK], place) != place:
                raise Failure(f"{place}: its mask is listed already in {masks[text[MASK]]}")
            if images.setdefault(row.image, row).view != row.view:
                raise Failure(f"{place}: its image is listed as that of another view in {images[row.image].place}")
            views[row.view].append(row)
    if not views:
        raise Failure(f"{folder}: {', '.join(path.name for path in tables(folder))} list no images")
    return [views[key] for key in sorted(views)]


def _names(table: Path) -> dict[str, str]:
    """One of `COLUMNS` -> what the table calls it, in lower case."""
    first_release = not missing_columns(table, tuple(FIRST_RELEASE.values()))
    return FIRST_RELEASE if first_release else {column: column.lower() for column in COLUMNS}


def _abnormality(cell: dict[str, str], place: str) -> Abnormality:
    empty = [column for column in COLUMNS if not cell[column]]
    if empty:
        raise Failure(f"{place}: nothing under {', '.join(empty)}; is the line cut off?")
    label = LABELS.get(cell["pathology"].upper())
    if label is None:
        raise Failure(f"{place}: unknown pathology {cell['pathology']!r}; expected one of {', '.join(LABELS)}")
    breast, projection = cell["left or right breast"].upper(), cell["image view"].upper()
    if breast not in BREASTS or projection not in PROJECTIONS:
        raise Failure(f"{place}: unknown breast or view, {breast!r} {projection!r}; expected {' or '.join(BREASTS)}, "
                      f"{' or '.join(PROJECTIONS)}")
    image, crop, mask = (_cell(cell[column], f"{place}, {column}") for column in (IMAGE, CROP, MASK))
    density = next((cell[name] for name in DENSITY if cell[name] in ("1", "2", "3", "4")), "")
    return Abnormality(cell["patient_id"], breast, projection, label, density, cell[KIND], image, crop, mask, place)


def _cell(text: str, place: str) -> Cell:
    parts = PurePosixPath(text.replace("\\", "/")).parts
    parts = parts[1:] if parts[:1] == (COLLECTION,) else parts
    if len(parts) != 4 or parts[0] == "/" or ".." in parts:
        raise Failure(f"{place}: {text!r} is no path of the form subject/study/series/file.dcm")
    return Cell(parts[0], parts[2])
