"""Names from files, in tables, pages and figures: shown as they are, never obeyed."""
import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evaluation.predictions import ImagePredictions, read_predictions, write_predictions
from experiments.reporting.head import ReportHead
from experiments.reporting.html import Section, render, section_markdown
from experiments.reporting.tables import Row, Table, list_markdown, table_markdown
from experiments.system.text import inert, markdown, original, printable

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "'=1", "''@x", "=", "-",
            "-x.png", "-1\r"]
HARMLESS = ["a.png", "'a.png'", "-1.5", "+3", "-2e-05", "0.25", "'-1", "", "it's =1", "1-1", "'"]
HOSTILE = "<script>alert('x')</script> | a_b *c* `d` \\ [e](javascript:f) & $\\frac$\n# g"


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe_and_comes_back(text):
    assert inert(text) == f"'{text}" and original(inert(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_all_other_cells_and_numbers_are_as_they_were(text):
    assert inert(text) == text == original(text)


@given(st.text(st.sampled_from("'=+-@\t\r\n1.ea")))
def test_every_text_comes_back_and_none_is_computed(text):
    assert original(inert(text)) == text
    assert inert(text)[:1] not in "=+-@\t\r\n" or not text or inert(text) == text


def test_predictions_hold_no_formula_and_read_back(tmp_path):
    names = np.array([*FORMULAS, *filter(None, HARMLESS)])
    count = len(names)
    given = ImagePredictions(names, names[::-1], np.zeros(count, int), np.full((count, 3), 0.25, np.float32))
    write_predictions(tmp_path / "predictions.csv", {"test": given})
    with open(tmp_path / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    assert {cells[1] for cells in rows} >= {f"'{text}" for text in FORMULAS} | {"-1.5", "+3"}
    back = read_predictions(tmp_path / "predictions.csv")["test"]
    np.testing.assert_array_equal(back.names, names)
    np.testing.assert_array_equal(back.patients, names[::-1])


def test_a_name_that_is_not_utf_8_is_written_as_an_escape(tmp_path):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    given = ImagePredictions(np.array([name]), np.array(["p"]), np.zeros(1, int), np.full((1, 3), 0.5, np.float32))
    write_predictions(tmp_path / "predictions.csv", {"test": given})
    assert read_predictions(tmp_path / "predictions.csv")["test"].names[0] == printable(name) == "caf\\udce9.png"


def test_markdown_shows_a_hostile_name_and_obeys_nothing_in_it():
    told = markdown(HOSTILE)
    assert "<" not in told and "\n" not in told and "&lt;script&gt;" in told and "&amp;" in told
    for special in "|*`":
        assert told.count(special) == told.count(f"\\{special}") == HOSTILE.count(special)
    assert "](" not in told and "]\\(" in told
    table = table_markdown(Table(HOSTILE, (HOSTILE, "b"), (Row(HOSTILE, ("1", HOSTILE)), Row("c", (HOSTILE, ""), True),
                                                           Row("d", ("", "2")))))
    lines = table.splitlines()
    assert len(lines) == 7 and lines[0] == f"## {told}"
    for line in lines[2:]:
        cells = line.replace("\\\\", "").replace("\\|", "").split("|")
        assert len(cells) == 5 and cells[0] == cells[-1] == ""
    assert lines[-1] == "| **d** |  | **2** |"  # no asterisks around nothing
    assert list_markdown([HOSTILE]) == f"- {told}"
    assert section_markdown(Section(HOSTILE, [HOSTILE])) == f"## {told}\n\n{told}\n"


def test_a_page_shows_hostile_names_and_obeys_nothing_in_them(check_page):
    head = ReportHead(HOSTILE, (HOSTILE,), HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE})
    table = Table("t", (HOSTILE, "b"), (Row(HOSTILE, (f"{HOSTILE} [{HOSTILE}", b"caf\xe9".decode(
        "utf-8", "surrogateescape"))),))
    page = render("report.html.jinja", head, [HOSTILE], [table], [HOSTILE], [], [Section("s", [HOSTILE], [table])])
    assert "<script" not in page and page.count("&lt;script&gt;") >= 10 and "caf\\udce9" in page
    assert page.encode("utf-8")
    check_page(page)


def test_plain_figures_are_left_alone():
    for text in ("0.9403 [0.919, 0.959]", "always “normal”", "thesis, Table 4.2, corrected", "n/a", "a_b"):
        assert markdown(text) == text


def test_a_csv_file_of_inert_cells_is_still_a_csv_file():
    text = io.StringIO()
    csv.writer(text).writerow(list(map(inert, FORMULAS)))
    text.seek(0)
    assert list(map(original, next(csv.reader(text)))) == FORMULAS
