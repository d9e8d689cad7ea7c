"""The clinical table of CMMD: one row for each breast whose pathology is known."""
import re
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.spreadsheets import read_rows
from experiments.datasets.tables import tables_with
from experiments.system.errors import Failure

COLUMNS = ("id1", "leftright", "classification")
OPTIONAL = ("age", "abnormality")
TELLING = ("id1", "leftright")  # by which a CSV file is known for the table of CMMD
SPREADSHEET = re.compile(r"cmmd.*clinical.*\.xlsx", re.IGNORECASE)
BREASTS = {"l": "left", "r": "right"}
LABELS = {"benign": "benign", "malignant": "cancer"}
KINDS = {"": (), "calcification": ("calcification",), "mass": ("mass",), "both": ("calcification", "mass")}
AGE = re.compile(r"[1-9]\d{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Breast:
    """labels: one class, or two where the rows of one breast differ; age: whole years or ''; kinds: of the lesions."""

    labels: tuple[str, ...]
    age: str
    kinds: tuple[str, ...]


def find_tables(folder: Path) -> list[Path]:
    """The tables in the folder: by its name where it is a spreadsheet, by its columns where it is a CSV file."""
    return [*tables_with(folder, TELLING), *sorted(path for path in folder.iterdir()
                                                   if SPREADSHEET.fullmatch(path.name) and path.is_file())]


def read_breasts(folder: Path) -> dict[tuple[str, str], Breast]:
    """(patient, 'left' or 'right') -> breast, in the order of the table; a CSV file is taken before the spreadsheet
    that it was saved from.

    Raises `Failure`, naming file and line, for several tables, what `read_rows` refuses, an unknown breast or class,
    and a table without rows.
    """
    table = _one_table(folder)
    breasts: dict[tuple[str, str], Breast] = {}
    for cells, place in read_rows(table, COLUMNS, OPTIONAL):
        side, label = BREASTS.get(cells["leftright"].lower()), LABELS.get(cells["classification"].lower())
        if not cells["id1"] or side is None or label is None:
            raise Failure(f"{place}: ID1 {cells['id1']!r}, LeftRight {cells['leftright']!r}, classification "
                          f"{cells['classification']!r}; expected for example 'D1-0001', L or R, Benign or Malignant")
        kinds = KINDS.get(cells["abnormality"].lower(), (cells["abnormality"],))
        age = cells["age"] if AGE.fullmatch(cells["age"]) else ""
        earlier = breasts.get((cells["id1"], side), Breast((), "", ()))
        breasts[cells["id1"], side] = Breast(tuple(sorted({*earlier.labels, label})), earlier.age or age,
                                             tuple(sorted({*earlier.kinds, *kinds})))
    if not breasts:
        raise Failure(f"{table}: lists no breasts")
    return breasts


def _one_table(folder: Path) -> Path:
    tables = find_tables(folder)
    if len({path.stem.lower() for path in tables}) > 1:
        raise Failure(f"{folder}: expected one clinical table, found {len(tables)}: "
                      f"{', '.join(path.name for path in tables)}. Keep the one that is to be used")
    return tables[0]
