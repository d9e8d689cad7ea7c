"""Tables that people keep in spreadsheets: the rows of an .xlsx file as `tables.read_table` gives those of a CSV.

Read is the first sheet that has the columns, its header in the first row that is not empty. A number, a date and a
truth value become the text that a spreadsheet program would save as CSV. A cell that holds a formula or an error is
refused, since what it comes to is not known here. Needs openpyxl, of the extra "xlsx", and only for .xlsx files.
"""
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from experiments.datasets.tables import column_places, read_table
from experiments.system.errors import Failure

SUFFIX = ".xlsx"
MOST_ROWS = 1 << 20  # of a sheet, by the format
MOST_UNFOLDED = 1 << 28  # bytes: the file is a ZIP archive, and a small one can hold anything
MADE_UP = {"f": "a formula", "e": "an error"}


def read_rows(table: Path, columns: Sequence[str], optional: Sequence[str] = ()
              ) -> Iterator[tuple[dict[str, str], str]]:
    """(cells, place) of each row of a CSV file or, by its suffix, of an .xlsx file: see `tables.read_table`.

    Raises `Failure` as that does; and for an .xlsx file that is damaged, protected by a password or unfolds to more
    than MOST_UNFOLDED bytes, for a cell of the columns with a formula or an error, and where openpyxl is absent.
    """
    return _sheet_rows(table, columns, optional) if table.suffix.lower() == SUFFIX else \
        read_table(table, columns, optional)


def _sheet_rows(table: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[tuple[dict[str, str], str]]:
    name, header, first, rows = _chosen_sheet(table, columns)
    places = column_places(f"{table}, sheet {name!r}", header, columns, optional)
    for number, row in enumerate(rows[first:], first + 1):
        place = f"{table}, sheet {name!r}, row {number}"
        if any(_text(cell.value) for cell in row):
            yield {column: _cell(row, places[column], column, place) if column in places else ""
                   for column in (*columns, *optional)}, place


def _chosen_sheet(table: Path, columns: Sequence[str]) -> tuple[str, list[str], int, list[Any]]:
    """Of the first sheet that has most of the columns: its name, its header in lower case, the number of the header's
    row, and all its rows.
    """
    sheets = []
    for name, rows in _sheets(table):
        number, first = next(((number, row) for number, row in enumerate(rows, 1)
                              if any(_text(cell.value) for cell in row)), (0, ()))
        sheets.append((name, [_text(cell.value).lower() for cell in first], number, rows))
    if not sheets:
        raise Failure(f"{table}: has no sheet")
    return max(sheets, key=lambda sheet: len(set(columns) & set(sheet[1])))


def _sheets(table: Path) -> list[tuple[str, list[Any]]]:
    """Name and rows of every sheet."""
    try:
        import openpyxl
    except ImportError as error:
        raise Failure(f'{table}: reading .xlsx files needs openpyxl; install it with: pip install -e ".[xlsx]"; or '
                      "save the table as CSV") from error
    try:
        with warnings.catch_warnings(), zipfile.ZipFile(table) as archive:
            warnings.simplefilter("ignore")  # of styles and forms that openpyxl does not know
            size = sum(part.file_size for part in archive.infolist())
            if size > MOST_UNFOLDED:
                raise Failure(f"{table}: unfolds to {size} bytes, more than {MOST_UNFOLDED}; expected a table")
            workbook = openpyxl.load_workbook(table, read_only=True)
            try:
                return [(sheet.title, _rows(sheet, table)) for sheet in workbook.worksheets]
            finally:
                workbook.close()
    except (Failure, MemoryError):
        raise
    except OSError as error:
        raise Failure(f"{table}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # openpyxl raises what its parsers raise
        raise Failure(f"{table}: cannot be read as an .xlsx file ({error}). Is it protected by a password, or saved in "
                      "another format?") from error


def _rows(sheet: Any, table: Path) -> list[Any]:
    sheet.reset_dimensions()  # some programs write wrong ones
    rows = list(islice(sheet.iter_rows(), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise Failure(f"{table}, sheet {sheet.title!r}: has more than {MOST_ROWS} rows")
    return rows


def _cell(row: Sequence[Any], at: int, column: str, place: str) -> str:
    if at >= len(row):
        return ""
    if row[at].data_type in MADE_UP:
        raise Failure(f"{place}: holds {MADE_UP[row[at].data_type]} under {column}, {_text(row[at].value)[:40]!r}; "
                      "expected a value. Save the table as CSV, or paste the values in place of the formulas")
    return _text(row[at].value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"  # as many digits as the programs show
    if isinstance(value, datetime):
        return str(value if value.time() != time() else value.date())
    if isinstance(value, date | time):
        return str(value)
    return " ".join(str(value).splitlines()).strip()
