import json
from dataclasses import replace

import numpy as np
import pytest

from experiments.detectors.evolution import Evolution
from experiments.evaluation.results import RoiResults
from experiments.evaluation.segmentation import MEASURES, DetectorResults
from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GROUPS, GroupsRecord
from experiments.reporting.roi_report import report
from experiments.reporting.roi_tables import headline, measures_table, ranges, reached
from experiments.runs.folder import RunFolder
from experiments.runs.log import Entry
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure
from experiments.system.records import read_record, write_record

DETECTORS = [f"{group}-{loss}" for group in GROUPS for loss in ("dice", "ss")]
HALF, NONE = dict.fromkeys(MEASURES, 0.5), dict.fromkeys(MEASURES)
DATA = DataRecord("a set", False, "abc123", 60, 30, {}, {}, ["A note on the data."], {"cancer": 30, "benign": 15},
                  {"cancer": 9, "benign": 6}, 20, 10)


def evaluation(step, overlap_accuracy, precision):
    return Entry(step, evaluation={"test": {"overlap_accuracy": overlap_accuracy, "precision": precision}})


def size_groups(empty=()):
    return GroupsRecord([10, 20, 30, 40.5], dict.fromkeys(GROUPS, 9),
                        {group: 0 if group in empty else 3 for group in GROUPS},
                        {group: None if group in empty else 0.125 for group in GROUPS})


def results(empty=()):
    """Every figure is 0.5; the groups in `empty` have no test image."""
    return RoiResults({name: DetectorResults({"train": HALF, "test": NONE if name[:2] in empty else HALF},
                                             {"train": HALF, "test": HALF}) for name in DETECTORS},
                      {name: 100 if name.startswith("P4") else None for name in DETECTORS}, size_groups(empty), DATA, 0)


@pytest.fixture
def run(tmp_path):
    """What ten trainings of two steps leave behind."""
    for name in DETECTORS:
        write_record(tmp_path / name / "results.json", results().detectors[name])
        (tmp_path / name / "metrics.jsonl").write_text(
            json.dumps({"step": 2, "evaluation": {"train": HALF, "test": HALF}}) + "\n")
        mask = np.zeros((16, 16), bool)
        mask[4:8, 4:8] = True
        Evolution(tmp_path / name / "evolution.npz", np.zeros((16, 16), np.float32), mask).record(
            2, np.full((16, 16), 0.75))
    return tmp_path


RECORD = RunRecord("roi_detection", {"seed": 3, "side": 16}, DATA, "python experiments/roi_detection.py", "cpu",
                   "2026-03-14T15:09:26", {"numpy": "2"}, groups=size_groups())


def test_the_results_of_a_run_are_read_back_as_those_of_its_trainings(run, capsys, check_page):
    report(RunFolder(run), RECORD, None)
    found = read_record(RoiResults, run / "results.json")
    assert found == replace(results(), seed=3, reached=dict.fromkeys(DETECTORS))
    page = (run / "report.html").read_text()
    check_page(page)
    for words in ("Pixels of 16 x 16", "A note on the data.", "from 41", "begun 2026-03-14 15:09", "abc123"):
        assert words in page
    assert "A note on the data" in (run / "tables.md").read_text()
    assert f"Report: {run / 'report.html'}" in capsys.readouterr().out


@pytest.mark.parametrize(("before", "after", "told"), [
    ('"group"', '"own"', "missing required field `group`"), ('"precision": 0.5', '"precision": "half"', r"\$\.group"),
    ("{", "", "Expected `object`")])
def test_a_damaged_training_is_named_and_nothing_is_written(run, before, after, told):
    path = run / "P2-ss" / "results.json"
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(Failure, match=rf"P2-ss.results\.json is damaged: .*{told}"):
        report(RunFolder(run), RECORD, None)
    assert not (run / "results.json").exists()


def test_a_record_without_size_groups_is_refused(run):
    with pytest.raises(Failure, match=r"config\.json .*'groups'"):
        report(RunFolder(run), replace(RECORD, groups=None), None)


def test_a_prediction_that_covers_everything_has_not_reached_it():
    lines = [evaluation(50, 1.0, 0.03), Entry(60, 0.1), evaluation(100, 0.9, 0.9), evaluation(150, 1.0, 0.5),
             evaluation(200, 1.0, 0.8)]
    assert reached(lines) == 150
    assert reached(lines[:3]) is None and reached([evaluation(50, None, None), evaluation(60, 1.0, None)]) is None


def test_ranges_are_whole_pixels_without_a_gap():
    assert ranges([10, 20.4, 30, 40.9]) == ["up to 10", "11 to 20", "21 to 30", "31 to 40", "from 41"]


def test_marking_every_pixel_stands_beside_each_detector():
    table = measures_table("dice", results())
    assert table.columns == ("Loss", "Accuracy", "Precision", "Recall", "Overlap accuracy")
    assert len(table.rows) == 5 * 5 and table.rows[0].label == "P0 (up to 10 px): own test images"
    assert table.rows[4].cells == ("", "0.1250", "0.1250", "1.0000", "1.0000") and table.rows[4].comparison


def test_the_headline_says_what_was_reached_and_what_is_missing():
    text = " ".join(headline(results(empty=("P1", "P3"))))
    assert "P0 0.50 (0.50), P1 n/a (n/a), P2" in text and "first measured for P4 at step 100." in text
    assert "There is no test image in P1 and P3: n/a." in text
    without = replace(results(), reached=dict.fromkeys(DETECTORS))
    assert "No Dice detector reached an overlap accuracy of 1" in " ".join(headline(without))
