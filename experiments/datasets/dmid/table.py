"""DMID's table: image, view, tissue, abnormality, class, then x, y and radius, as in MIAS; without a header of its own.

    IMG001  CCLT  G  CIRC  B  535  425  197
    IMG002  MLORT D  NORM

Above the rows stands a legend. In text the cells are parted by commas, semicolons, tabs or blanks; the view may be
absent. x, y and radius are not read (see the package), nor the tissue, which is no ACR density.
"""
import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.spreadsheets import SUFFIX, read_cells
from experiments.system.errors import Failure

IMAGE = re.compile(r"IMG\d{1,6}", re.IGNORECASE | re.ASCII)
SPREADSHEET = re.compile(r".*(metadata|info).*\.xlsx", re.IGNORECASE)
TEXTS = (".csv", ".txt", ".tsv")
START = 1 << 16  # bytes, of a text that is looked at to know it for a table
TISSUES = ("F", "G", "D")
NORMAL, NONE = "NORM", ("", "-", "N", "NA", "NORM", "NORMAL")
LABELS = {"B": "benign", "BENIGN": "benign", "M": "cancer", "MALIGNANT": "cancer"}
PROJECTIONS = ("MLO", "CC")
SIDES = {"L": "left", "LT": "left", "LEFT": "left", "R": "right", "RT": "right", "RIGHT": "right"}


@dataclass(frozen=True, slots=True)
class Row:
    """image: 'IMG001'; view: 'CC', 'MLO' or ''; breast: 'left', 'right' or ''; kind: of the finding, '' for none."""

    image: str
    view: str
    breast: str
    kind: str
    label: str
    place: str


def text_tables(folder: Path) -> list[Path]:
    """The text files in the folder in which a line begins like a row."""
    return [path for path in sorted(folder.iterdir())
            if path.suffix.lower() in TEXTS and path.is_file() and _has_rows(path)]


def spreadsheets(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if SPREADSHEET.fullmatch(path.name) and path.is_file()]


def find_table(folder: Path) -> Path:
    """A text is taken before the spreadsheet that it was saved from. Raises `Failure` where there are several."""
    tables = [*text_tables(folder), *spreadsheets(folder)]
    if len({path.stem.lower() for path in tables}) > 1:
        raise Failure(f"{folder}: expected one table, found {len(tables)}: {', '.join(path.name for path in tables)}. "
                      "Keep the one that is to be used")
    return tables[0]


def read_rows(table: Path) -> dict[str, list[Row]]:
    """Image -> its rows. Raises `Failure`, naming file and line, for what cannot be understood."""
    rows: dict[str, list[Row]] = defaultdict(list)
    cells_of = read_cells(table) if table.suffix.lower() == SUFFIX else _lines(table)
    for cells, place in cells_of:
        if cells and IMAGE.fullmatch(cells[0]):
            row = _row(cells, place)
            rows[row.image].append(row)
    if not rows:
        raise Failure(f"{table}: no row begins with the name of an image, such as IMG001")
    return rows


def _row(cells: list[str], place: str) -> Row:
    rest = [cell.upper() for cell in cells[1:]]
    view = rest.pop(0) if rest and rest[0] not in TISSUES else ""
    tissue, kind, severity, *_ = *rest, "", "", ""
    label = "normal" if kind == NORMAL and severity in NONE else LABELS.get(severity) if kind != NORMAL else None
    if tissue not in TISSUES or not kind or label is None:
        raise Failure(f"{place}: cannot understand {' '.join(cells)[:100]!r}; expected for example 'IMG001 CCLT G CIRC "
                      "B 535 425 197' (tissue F, G or D; class B or M) or 'IMG002 MLORT D NORM'")
    projection, breast = _view(view)
    return Row(cells[0].upper(), projection, breast, "" if kind == NORMAL else kind, label, place)


def _view(text: str) -> tuple[str, str]:
    """'CCLT', 'LEFT MLO', 'R_CC' -> projection and breast; '' for what is written otherwise."""
    for projection in PROJECTIONS:
        if projection in text:
            return projection, SIDES.get(re.sub("[^A-Z]", "", text.replace(projection, "")), "")
    return "", ""


def _lines(table: Path) -> Iterator[tuple[list[str], str]]:
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Failure(f"{table}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{table}: cannot be read as a text in UTF-8 ({error}). Save it in UTF-8") from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield _cells(line), f"{table}, line {number}"
        except csv.Error as error:
            raise Failure(f"{table}, line {number}: cannot be read as a row of a table ({error})") from error


def _cells(line: str) -> list[str]:
    delimiter = next((mark for mark in "\t;," if mark in line), None)
    cells = line.split() if delimiter is None else next(csv.reader([line], delimiter=delimiter), [])
    return [cell.strip() for cell in cells]


def _has_rows(path: Path) -> bool:
    """Whether a line begins with image, perhaps view, and tissue."""
    with open(path, "rb") as file:
        lines = file.read(START).decode("utf-8-sig", "replace").splitlines()
    rows = (_cells(line) for line in lines if line.lstrip('"')[:3].upper() == "IMG")
    return any(IMAGE.fullmatch(image) and set(TISSUES) & {cell.upper() for cell in rest[:2]} for image, *rest in rows)
