"""The thesis audited: that the recovery is unique, what it recomputes, and what the command leaves behind."""
import itertools
from dataclasses import replace

import numpy as np
import pytest

from experiments import audit
from experiments.evaluation import recovery, thesis
from experiments.evaluation.recovery import TABLES, Audit, matching_counts, rounds_to
from experiments.reporting.audit_tables import audit_notes, audit_sentences, audit_tables, errata_table
from experiments.system.records import read_record


@pytest.fixture(scope="module")
def found():
    return recovery.audit()


def row(table, label):
    return next(row.cells for row in table.rows if row.label == label)


@pytest.mark.parametrize(("numerator", "denominator", "printed", "fits"), [
    (1, 3, 0.3333, True), (1, 3, 0.3334, False), (2, 3, 0.6667, True), (2, 3, 0.6666, False), (0, 7, 0.0, True),
    (1, 20000, 0.0, True), (1, 20000, 0.0001, True), (1, 19999, 0.0, False), (0, 0, 0.0, False), (7, 7, 1.0, True)])
def test_rounding_is_judged_exactly(numerator, denominator, printed, fits):
    assert bool(rounds_to(np.array(numerator), np.array(denominator), printed)) == fits


@pytest.mark.parametrize(("table", "place"), list(itertools.product(TABLES, range(3))))
def test_one_count_alone_fits_each_column_and_none_if_the_row_were_the_specificity(table, place):
    (tp, fp, tn, fn), = matching_counts(table, place).tolist()
    counts = table.counts
    assert (tp, fp, tn, fn) == tuple(int(c[place]) for c in (counts.tp, counts.fp, counts.tn, counts.fn))
    assert len(matching_counts(table, place, corrected=True)) == 0


def test_the_search_finds_every_count_where_the_figures_leave_several(monkeypatch):
    """Figures printed in quarters fit many counts; checked against plain loops."""
    monkeypatch.setitem(thesis.IMAGES, "test", np.array([30, 40, 50]))
    table = replace(thesis.END_TO_END["test"], accuracy=(0.5,) * 4, recall=(0.5,) * 4, precision=(0.25,) * 4,
                    printed_specificity=(0.75,) * 4)
    assert matching_counts(table, 0).tolist() == [[15, 45, 45, 15]]
    monkeypatch.setattr(recovery, "UNIT", 4)
    expected = [[tp, 90 - tn, tn, 30 - tp] for tp in range(31) for tn in range(91) if tp + tn and all(
        abs(value - figure) <= 0.125 for value, figure in (
            (tp / 30, 0.5), ((tp + tn) / 120, 0.5), (tp / (tp + 90 - tn) if tp + 90 - tn else np.nan, 0.25),
            (tn / (tn + tp), 0.75)))]
    assert len(expected) > 20 and matching_counts(table, 0).tolist() == expected


def test_a_misprint_would_be_noticed():
    table = thesis.END_TO_END["test"]
    assert len(matching_counts(replace(table, recall=(0.6785, 0.7474, 0.4829, 0.6362)), 0)) == 0


def test_every_entry_but_specificy_is_as_printed(found):
    for table, name in itertools.product(found.tables.values(), ("cancer", "normal", "benign", "mean")):
        for metric in ("accuracy", "precision", "recall"):
            entry = table.entries[metric][name]
            assert round(entry.recomputed, 4) == entry.printed
        specificity = table.entries["specificity"][name]
        assert round(specificity.recomputed, 4) != specificity.printed
        assert round(table.as_printed[name], 4) == specificity.printed
    assert [table.answers for table in found.tables.values()] == [1195, 4785, 1195, 4785]


def test_the_errata_table_shows_the_three_errata(found):
    table = errata_table(found)
    assert len(table.rows) == 12 + 2 + 3
    assert row(table, "14. Table 4.2, normal, “Specificy”") == (
        "0.6550", "0.9361", "printed: TN/(TN+TP) = 674/1029; (3.44): TN/(TN+FP) = 674/720")
    assert row(table, "15. Abstract, decomposition classifier") == (
        "65.66 %", "65.24 %", "mean accuracy on the training set (Table 4.7)")
    assert row(table, "15. Abstract, end-to-end classifier")[2] == "mean accuracy on the test set (Table 4.2)"
    assert [row(table, f"16. Footnote 5, guessing, {name}")[:2] for name in ("cancer", "normal", "benign")] == [
        ("0.545", "0.563"), ("0.507", "0.534"), ("0.553", "0.569")]


def test_tables_and_sentences_state_the_accuracies_and_the_uniqueness(found):
    tables = {table.title: table for table in audit_tables(found)}
    shares = tables["Plain three-class accuracy, from the counts"]
    assert row(shares, "End-to-end classifier")[0] == "775 of 1195 = 64.85 %"
    assert row(shares, "Decomposition classifier")[0] == "572 of 1195 = 47.87 %"
    assert row(tables["Counts recovered from the printed figures"], "Table 4.2, cancer") == (
        "251", "247", "578", "119", "1", "0")
    assert all(len(row.cells) == len(table.columns) for table in tables.values() for row in table.rows)
    text = " ".join(audit_sentences(found) + audit_notes(found))
    for words in ("Behind 12 of the 12 columns", "In 4 of 4 tables", "48 of 48 entries",
                  "Of 16 entries “Specificy” 16 equal TN/(TN+TP), and 0", "fit 0 counts",
                  "64.85 %", "47.87 %", "best for normal on the test set (0.9361; benign 0.8497)", "add up to 1.605"):
        assert words in text


def test_sentences_follow_the_findings():
    changed = recovery.audit()
    table = changed.tables["4.2"]
    table.counts["cancer"] = replace(table.counts["cancer"], solutions=2)
    table.entries["recall"]["cancer"] = replace(table.entries["recall"]["cancer"], printed=0.5)
    text = " ".join(audit_sentences(changed))
    assert "Behind 11 of the 12 columns" in text and "47 of 48 entries" in text


def test_the_command_prints_the_tables_and_writes_its_folder(tmp_path, command, check_page):
    code, output, _ = command(audit.main, "--output", tmp_path / "audit")
    assert code == 0 and "| 15. Abstract, decomposition classifier | 65.66 % | 65.24 % |" in output
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {"audit.json", "tables.md", "report.html"}
    written = read_record(Audit, tmp_path / "audit" / "audit.json")
    assert written == recovery.audit() and written.tables["4.6"].counts["cancer"].tp == 59
    page = (tmp_path / "audit" / "report.html").read_text()
    assert "Errata of the printed figures" in page and "674/720" in page
    assert "Fingerprint" not in page and 'id="figures"' not in page and 'id="data"' not in page
    assert "Settings" not in page and "Versions" in page
    check_page(page)
    before = (tmp_path / "audit" / "audit.json").read_bytes()
    assert command(audit.main, "--output", tmp_path / "audit")[0] == 0  # again: the same
    assert (tmp_path / "audit" / "audit.json").read_bytes() == before


def test_it_overwrites_no_run_and_explains_itself(tmp_path, command):
    (tmp_path / "config.json").write_text("{}")
    code, _, errors = command(audit.main, "--output", tmp_path)
    assert code == 2 and "holds a run" in errors and len(list(tmp_path.iterdir())) == 1
    code, output, _ = command(audit.main, "--help")
    assert code == 0 and "python experiments/audit.py --output runs/errata" in output
