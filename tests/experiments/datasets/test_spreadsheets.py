"""Tables in .xlsx files: the same rows as of the CSV that a spreadsheet program saves."""
import csv
import datetime
import random
import sys
import zipfile

import pytest

from experiments.datasets import spreadsheets
from experiments.datasets.spreadsheets import read_rows
from experiments.system.errors import Failure

openpyxl = pytest.importorskip("openpyxl", reason='needs openpyxl: pip install -e ".[xlsx]"')

ROWS = [("Image", " Age ", "note"), ("a b", 45, None), (" c\n", "061", "x, y"), (None, None, None), ("d", 45.5, "two"),
        ("e", 46.0, True)]
READ = [("a b", "45", ""), ("c", "061", "x, y"), ("d", "45.5", "two"), ("e", "46", "TRUE")]


def save(path, *sheets):
    """sheets: (name, rows), ..."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_rows_are_those_of_the_csv_saved_from_it(tmp_path):
    with open(tmp_path / "a.csv", "w", newline="") as file:
        csv.writer(file).writerows([["Image", " Age ", "note"], *READ[:2], [], *READ[2:]])
    save(tmp_path / "a.xlsx", ("all", ROWS))
    found = {}
    for path in (tmp_path / "a.csv", tmp_path / "a.xlsx"):
        rows = list(read_rows(path, ("image", "age"), ("note", "absent")))
        found[path.suffix] = [cells for cells, _ in rows]
        assert [tuple(cells[name] for name in ("image", "age", "note")) for cells in found[path.suffix]] == READ
    assert found[".csv"] == found[".xlsx"] and found[".xlsx"][0]["absent"] == ""
    assert [place.rpartition(", ")[2] for _, place in read_rows(tmp_path / "a.xlsx", ("image",))] == [
        "row 2", "row 3", "row 5", "row 6"]


def test_dates_are_dates_and_times_of_day_are_kept(tmp_path):
    save(tmp_path / "a.xlsx", ("one", [("day",), (datetime.date(2021, 3, 4),), (datetime.datetime(2021, 3, 4, 5, 6),)]))
    assert [cells["day"] for cells, _ in read_rows(tmp_path / "a.xlsx", ("day",))] == [
        "2021-03-04", "2021-03-04 05:06:00"]


def test_the_first_sheet_that_has_the_columns_is_read_below_empty_rows(tmp_path):
    save(tmp_path / "a.xlsx", ("notes", [("about",)]), ("masses", [("image", "shape"), ("m", "round")]),
         ("all", [(), (), ("image", "age"), ("a", 3)]), ("copy", [("image", "age"), ("b", 4)]))
    assert list(read_rows(tmp_path / "a.xlsx", ("image", "age"))) == [
        ({"image": "a", "age": "3"}, f"{tmp_path / 'a.xlsx'}, sheet 'all', row 4")]


def test_a_wrong_dimension_hides_no_columns(tmp_path):
    save(tmp_path / "a.xlsx", ("one", [("image", "age"), ("a", 3)]))
    rewrite(tmp_path / "a.xlsx", lambda text: text.replace(b'ref="A1:B2"', b'ref="A1"'))
    assert [cells for cells, _ in read_rows(tmp_path / "a.xlsx", ("image", "age"))] == [{"image": "a", "age": "3"}]


def rewrite(path, change):
    """change: of the text of its first sheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    before = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = change(before)
    assert parts["xl/worksheets/sheet1.xml"] != before
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(("rows", "message"), [
    ([("image",), ("a",)], r"a\.xlsx, sheet 'one': lacks the column\(s\) age; expected image, age"),
    ([], r"lacks the column\(s\) image, age"),
    ([("image", "age", "Age"), ("a", 1, 2)], r"has the column 'age' 2 times"),
    ([("image", "age"), ("a", "=1+1")], r"sheet 'one', row 2: holds a formula under age, '=1\+1'"),
    ([("image", "age"), ("a", "#N/A")], r"row 2: holds an error under age, '#N/A'")])
def test_what_does_not_fit_names_the_sheet_and_the_row(tmp_path, rows, message):
    save(tmp_path / "a.xlsx", ("one", rows))
    with pytest.raises(Failure, match=message):
        list(read_rows(tmp_path / "a.xlsx", ("image", "age")))


def test_a_formula_in_another_column_matters_not(tmp_path):
    save(tmp_path / "a.xlsx", ("one", [("image", "sum"), ("a", "=1+1")]))
    assert [cells for cells, _ in read_rows(tmp_path / "a.xlsx", ("image",))] == [{"image": "a"}]


def test_without_openpyxl_the_extra_is_named(tmp_path, monkeypatch):
    save(tmp_path / "a.xlsx", ("one", ROWS))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(Failure, match=r'a\.xlsx: reading \.xlsx files needs openpyxl; .*"\.\[xlsx\]".*as CSV'):
        list(read_rows(tmp_path / "a.xlsx", ("image",)))


def test_an_archive_that_unfolds_to_too_much_is_refused(tmp_path, monkeypatch):
    save(tmp_path / "a.xlsx", ("one", ROWS))
    monkeypatch.setattr(spreadsheets, "MOST_UNFOLDED", 1000)
    with pytest.raises(Failure, match=r"a\.xlsx: unfolds to \d+ bytes, more than 1000"):
        list(read_rows(tmp_path / "a.xlsx", ("image",)))


def test_rows_beyond_the_formats_last_are_refused(tmp_path):
    save(tmp_path / "a.xlsx", ("one", [("image",), ("a",)]))
    rewrite(tmp_path / "a.xlsx", lambda text: text.replace(b'<row r="2">', b'<row r="9999999999">'))
    with pytest.raises(Failure, match=r"sheet 'one': has more than 1048576 rows"):
        list(read_rows(tmp_path / "a.xlsx", ("image",)))


def test_absent_and_damaged_files_are_messages(tmp_path):
    with pytest.raises(Failure, match=r"a\.xlsx: cannot be read \(No such file"):
        list(read_rows(tmp_path / "a.xlsx", ("image",)))
    whole = save(tmp_path / "a.xlsx", ("one", ROWS)).read_bytes()
    generator, refused = random.Random(0), 0
    for _ in range(40):
        changed = bytearray(whole)
        at = generator.randrange(len(changed))
        changed[at:at + generator.choice((1, 9, 4000))] = generator.randbytes(generator.choice((0, 1, 5)))
        (tmp_path / "a.xlsx").write_bytes(changed)
        try:
            list(read_rows(tmp_path / "a.xlsx", ("image", "age")))
        except Failure:
            refused += 1
    assert refused > 10
