"""INbreast.csv, and the names of the images, 20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm: number, patient, side, view.

In the table Patient ID and Patient age are the word "removed"; a view that is called ML in a name is its MLO.
"""
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.birads import ASSESSMENTS
from experiments.datasets.tables import read_table
from experiments.system.errors import Failure

FILE, SIDE, VIEW, DENSITY, ASSESSMENT = COLUMNS = ("file name", "laterality", "view", "acr", "bi-rads")
AGE = "patient age"
NAME = re.compile(r"(\d{8})_([0-9a-f]{16})_MG_([LR])_([A-Z]{2,3})_ANON\.dcm", re.ASCII | re.IGNORECASE)
BREASTS = {"L": "left", "R": "right"}
NUMBER = re.compile(r"\d{8}", re.ASCII)
AGES = re.compile(r"[1-9]\d{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """number: the first part of the image's name. density, age: '' where the table does not tell. place: file and line.
    """

    number: str
    side: str
    view: str
    density: str
    age: str
    assessment: str
    place: str


@dataclass(frozen=True, slots=True)
class ImageName:
    number: str
    patient: str
    side: str
    view: str


def parse(name: str) -> ImageName | None:
    """Of a file; None for one of another form."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    number, patient, side, view = match.groups()
    return ImageName(number, patient.lower(), side.upper(), _view(view))


def read_rows(table: Path) -> Iterator[Row]:
    """The images that the table lists. Rows without file name and assessment, as stand below the spreadsheet's table,
    list none.

    Raises `Failure`, naming file and line, for a number that is none and an unknown assessment.
    """
    for cells, place in read_table(table, COLUMNS, (AGE,)):
        if not cells[FILE] and not cells[ASSESSMENT]:
            continue
        if not NUMBER.fullmatch(cells[FILE]):
            raise Failure(f"{place}: the file name is {cells[FILE][:40]!r}; expected the eight digits with which an "
                          "image's name begins")
        assessment = cells[ASSESSMENT].lower()
        if assessment not in ("", *ASSESSMENTS):
            raise Failure(f"{place}: unknown Bi-Rads {cells[ASSESSMENT][:40]!r}; expected one of "
                          f"{', '.join(ASSESSMENTS)}")
        yield Row(cells[FILE], cells[SIDE].upper()[:1], _view(cells[VIEW]),
                  cells[DENSITY] if cells[DENSITY] in ("1", "2", "3", "4") else "",
                  cells[AGE] if AGES.fullmatch(cells[AGE]) else "", assessment, place)


def _view(text: str) -> str:
    return {"ML": "MLO"}.get(text.upper(), text.upper())
