"""Tables as text: CSV with commas or semicolons, or tabs; what is not well formed is refused with file and line.

Columns are found by name, whatever their case, whatever blanks stand around them and whether the file begins with a
byte order mark. A row must have as many cells as the header. A cell of several lines is refused, since a quote that
nobody meant swallows rows that way; a single line end at the end of a cell is none of its text (CBIS-DDSM has such).
"""
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.system.errors import Failure

DELIMITERS = ",;\t"


def missing_columns(table: Path, columns: Sequence[str]) -> list[str]:
    """Which of the columns its header lacks; all of them for an empty file. Raises `Failure` where it is no text."""
    _, header, _ = _header(table, columns)
    return [column for column in columns if column not in header]


def tables_with(folder: Path, columns: Sequence[str]) -> list[Path]:
    """The CSV files in the folder, not below it, that have the columns, by name. What is no table is passed over."""
    return [path for path in sorted(folder.iterdir())
            if path.suffix.lower() == ".csv" and path.is_file() and _has(path, columns)]


def only_table(found: Sequence[Path], folder: Path, lists: str) -> Path | None:
    """The table that was found, None where none was. Raises `Failure` where there are several. lists: what it does."""
    if len(found) > 1:
        raise Failure(f"{folder}: expected one table that lists {lists}, found {len(found)}: "
                      f"{', '.join(path.name for path in found)}. Keep one of them")
    return found[0] if found else None


def read_table(table: Path, columns: Sequence[str], optional: Sequence[str] = ()
               ) -> Iterator[tuple[dict[str, str], str]]:
    """(cells, place) of each row: the text under `columns` and `optional`, '' where the table lacks one of the latter;
    the file and the line in which the row begins. Names of columns are given in lower case. Empty rows are passed over.

    Raises `Failure` for a table without one of `columns`, with one of the columns twice, or with a row that does not
    fit.
    """
    delimiter, header, first = _header(table, columns)
    wanted = (*columns, *optional)
    places = column_places(str(table), header, columns, optional)
    for row, line in _rows(table, delimiter):
        place = f"{table}, line {line}"
        if line <= first or not any(cell.strip() for cell in row):
            continue
        if len(row) < len(header) or any(cell.strip() for cell in row[len(header):]):
            raise Failure(f"{place}: has {len(row)} cells, the header {len(header)}. Is the line cut off, or is a "
                          "quote or a delimiter too many in it?")
        if any("\n" in cell.strip() or "\r" in cell.strip() for cell in row):
            raise Failure(f"{place}: a quote in it closes in a later line only, so that it swallows lines. Remove the "
                          "quote, or write the cell in one line")
        yield {column: row[places[column]].strip() if column in places else "" for column in wanted}, place


def column_places(table: str, header: Sequence[str], columns: Sequence[str], optional: Sequence[str]) -> dict[str, int]:
    """Where in the header, of names in lower case, each column stands that it has.

    Raises `Failure`, naming the table, where it lacks one of `columns` or has one of all twice.
    """
    missing = [column for column in columns if column not in header]
    if missing:
        raise Failure(f"{table}: lacks the column(s) {', '.join(missing)}; expected {', '.join(columns)}")
    wanted = (*columns, *optional)
    twice = [column for column in wanted if header.count(column) > 1]
    if twice:
        raise Failure(f"{table}: has the column {twice[0]!r} {header.count(twice[0])} times; which one is meant?")
    return {column: header.index(column) for column in wanted if column in header}


def _has(table: Path, columns: Sequence[str]) -> bool:
    try:
        return not missing_columns(table, columns)
    except Failure:
        return False


def _header(table: Path, columns: Sequence[str]) -> tuple[str, list[str], int]:
    """The delimiter by which most of the columns are found, the names in lower case, and the header's line."""
    found: list[tuple[int, str, list[str], int]] = []
    faults: list[Failure] = []
    for delimiter in DELIMITERS:
        try:
            row, line = next(((row, line) for row, line in _rows(table, delimiter) if row), ([], 0))
        except Failure as fault:  # quotes are in the wrong places where the delimiter is another
            faults.append(fault)
            continue
        names = [name.strip().lower() for name in row]
        found.append((len(set(columns) & set(names)), delimiter, names, line))
    if not found:
        raise faults[0]
    return max(found, key=lambda header: header[0])[1:]


def _rows(table: Path, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """(cells, number of its first line) of each row."""
    line = 1
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for row in reader:
                yield row, line
                line = reader.line_num + 1
    except OSError as error:
        raise Failure(f"{table}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise Failure(f"{table}: cannot be read as a CSV file in UTF-8 ({error}). Save it in UTF-8") from error
    except csv.Error as error:
        raise Failure(f"{table}, line {line}: cannot be read as a CSV file ({error}); is a quote too many in it?"
                      ) from error
