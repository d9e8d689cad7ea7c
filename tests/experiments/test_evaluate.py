"""Train on A, test on B: what a run gives on another data set, beside its own test set."""
import csv
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments import end2end, evaluate, predict, retraining, roi_detection
from experiments.datasets import synthetic
from experiments.evaluating import folder as evaluation_folder
from experiments.evaluating.learned import NAMED, RELATED, SAME
from experiments.evaluating.record import EvaluationRecord, TransferredClassifier, TransferredDetectors
from experiments.evaluation import evaluate_predictions
from experiments.evaluation.aggregation import by_unit
from experiments.evaluation.predictions import read_predictions
from experiments.evaluation.results import NAME, ClassifierResults, RoiResults
from experiments.evaluation.unit import Unit
from experiments.inputs.selection import OF_OTHER_CLASSES
from experiments.reporting.cancer import TITLE
from experiments.system.records import read_record

FILES = ["config.json", "figures", "predictions.csv", "report.html", "results.json", "tables.md"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def call(cache, tmp_path, command):
    """call(run, data, *flags) -> (exit code, output, errors), into tmp_path / "evaluation"."""
    return lambda run, data, *flags: command(evaluate.main, run, "--data", data, "--cache", cache, "--workers", 1,
                                             "--output", tmp_path / "evaluation", *flags)


@pytest.fixture(scope="module")
def evaluated(finished, elsewhere, cache, tmp_path_factory, command):
    output = tmp_path_factory.mktemp("evaluated") / "evaluation"
    code, printed, errors = command(evaluate.main, finished, "--data", elsewhere, "--cache", cache, "--workers", 1,
                                    "--output", output)
    assert code == 0, errors
    assert f"Report: {output / 'report.html'}" in printed and "Other set: synthetic, 12 images of 6 patients" in printed
    return output


def test_the_folder_explains_itself(evaluated, finished, elsewhere, check_page):
    assert sorted(path.name for path in evaluated.iterdir()) == FILES
    record = read_record(EvaluationRecord, evaluated / "config.json")
    assert (record.run, record.of_experiment, record.place) == (str(finished), "end2end", str(elsewhere))
    digest = hashlib.sha256((finished / "checkpoint.safetensors").read_bytes()).hexdigest()
    assert record.checkpoints == {"checkpoint.safetensors": digest}
    own = json.loads((finished / "config.json").read_text())["data"]
    assert record.own.fingerprint == own["fingerprint"] != record.data.fingerprint
    assert record.data.test == {"cancer": 4, "normal": 4, "benign": 4} and not record.data.train
    page = (evaluated / "report.html").read_text()
    check_page(page)
    for words in (digest[:16], own["fingerprint"], record.data.fingerprint, "trained on drawings",
                  "Own test set (6 images", "None of its images has the pixels of one that the run learned from"):
        assert words in page, words
    assert sorted(path.name for path in (evaluated / "figures").iterdir()) == ["roc.png", "samples.png"]


def test_the_figures_are_those_of_both_sets(evaluated, finished):
    found = read_record(TransferredClassifier, evaluated / "results.json")
    assert found.own == read_record(ClassifierResults, finished / NAME).test
    written = read_predictions(evaluated / "predictions.csv")["other"]
    assert found.other == evaluate_predictions(written) and len(written) == 12
    area = found.differences["auroc"]["cancer"]
    assert area.difference.value == pytest.approx(found.other.auroc["cancer"] - found.own.auroc["cancer"])
    assert area.other.ci == found.other.auroc_ci["cancer"] and area.difference.ci is None, "one own patient with cancer"
    low, high = found.differences["accuracy"]["mean"].difference.ci
    assert low < found.other.accuracy["mean"] - found.own.accuracy["mean"] < high
    assert found.operating_point is None and "sensitivity" not in found.differences


@pytest.fixture(scope="module")
def retrained(decomposed, tmp_path_factory, command):
    output = tmp_path_factory.mktemp("retrained") / "run"
    code, _, errors = command(retraining.main, "--decomposition", decomposed, "--steps", 2, "--output", output,
                              "--cache", output.parent / "cache", "--workers", 1)
    assert code == 0, errors
    return output


@pytest.mark.parametrize("kind", ["finished", "decomposed", "retrained"])
def test_each_image_is_answered_as_predict_answers_it(kind, request, elsewhere, call, tmp_path, command):
    run = request.getfixturevalue(kind)
    code, _, errors = call(run, elsewhere)
    assert code == 0, errors
    written = read_predictions(tmp_path / "evaluation" / "predictions.csv")["other"]
    code, _, errors = command(predict.main, run, *(elsewhere / name for name in written.names), "--json",
                              tmp_path / "p.json")
    assert code == 0, errors
    rows = json.loads((tmp_path / "p.json").read_text())["images"]
    np.testing.assert_allclose(written.probabilities, [list(row["probabilities"].values()) for row in rows], atol=1e-5)
    record = read_record(EvaluationRecord, tmp_path / "evaluation" / "config.json")
    assert len(record.checkpoints) == (6 if kind == "decomposed" else 1)


def test_patients_are_counted_where_they_are_asked_for(finished, elsewhere, call, tmp_path):
    code, _, errors = call(finished, elsewhere, "--unit", "patient", "--over", "maximum")
    assert code == 0, errors
    found = read_record(TransferredClassifier, tmp_path / "evaluation" / "results.json")
    images = read_predictions(tmp_path / "evaluation" / "predictions.csv")["other"]
    assert found.other == evaluate_predictions(by_unit(images, Unit("patient", "maximum"))) and found.other.images == 6
    own = read_predictions(finished / "predictions.csv")["test"]
    assert found.own == evaluate_predictions(by_unit(own, Unit("patient", "maximum")))
    tables = (tmp_path / "evaluation" / "tables.md").read_text()
    captions = [line for line in tables.splitlines() if line.startswith("## ") and line[3:] != TITLE]
    assert captions and all("patients (maximum over their images)" in line for line in captions)


def test_units_that_cannot_be(finished, roi, elsewhere, call, tmp_path):
    code, _, errors = call(finished, elsewhere, "--over", "mean")
    assert code == 2 and "--over mean: an image has one output" in errors
    rows = [{**row, "breast": ""} for row in rows_of(elsewhere)]
    code, _, errors = call(finished, write_set(tmp_path / "untold", rows, [elsewhere] * len(rows)), "--unit", "breast")
    assert code == 1 and "not known which breast" in errors
    code, _, errors = call(roi, elsewhere, "--unit", "patient")
    assert code == 2 and "holds detectors" in errors
    assert not (tmp_path / "evaluation").exists()


def test_an_operating_point_is_held_fixed(drawn, elsewhere, tmp_path, call, command, tiny_flags):
    run = tmp_path / "run"
    code, _, errors = command(end2end.main, *tiny_flags(drawn, run), "--steps", 20, "--validation", 0.3)
    assert code == 0, errors
    rows = [{**row, "source": "ab"[place % 2]} for place, row in enumerate(rows_of(elsewhere))]
    code, _, errors = call(run, write_set(tmp_path / "sources", rows, [elsewhere] * len(rows)))
    assert code == 0, errors
    found = read_record(TransferredClassifier, tmp_path / "evaluation" / "results.json")
    assert found.operating_point == read_record(ClassifierResults, run / NAME).point is not None
    written = read_predictions(tmp_path / "evaluation" / "predictions.csv")["other"]
    called = written.probabilities[:, 0].astype(float) >= found.operating_point.threshold
    realised = found.cancer["other"].realised
    assert (realised.found, realised.alarms) == (called[written.labels == 0].sum(), called[written.labels != 0].sum())
    assert found.differences["sensitivity"]["cancer"].other.value == realised.sensitivity
    assert {group.value for group in found.cancer["other"].subgroups["source"]} == {"a", "b"}
    page = (tmp_path / "evaluation" / "report.html").read_text()
    assert "Sensitivity at the operating point" in page and "source: a" in page


def rows_of(folder):
    with open(folder / "labels.csv", newline="") as file:
        return list(csv.DictReader(file))


def write_set(folder, rows, sources, name=None):
    """rows of tables and the folders that their files lie in; name: of the collection, None for that of the folder."""
    folder.mkdir()
    kept = [{**row, "image": source / row["image"], "mask": row["mask"] and source / row["mask"]}
            for row, source in zip(rows, sources, strict=True)]
    columns = ["image", "mask", "label", "patient", *(["collection"] if name else []), *({"source"} & {*rows[0]})]
    with open(folder / "labels.csv", "w", newline="") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows({**row, "collection": name} for row in kept)
    return folder


def test_the_run_s_own_images_are_refused_wherever_they_lie(finished, roi, drawn, data, call, tmp_path):
    code, _, errors = call(finished, drawn)
    assert code == 2 and "is the folder of --data that the run was trained on" in errors
    code, _, errors = call(finished, data)
    assert code == 2 and "Only its test images are clean" in errors
    own = read_predictions(finished / "predictions.csv")["test"]
    rows = [row for row in rows_of(drawn) if row["image"] in own.names]
    code, _, errors = call(finished, write_set(tmp_path / "tested", rows, [drawn] * len(rows)))
    assert code == 2 and "the other 6 are test images of the run" in errors
    assert not (tmp_path / "evaluation").exists()


def test_images_that_the_run_learned_from_are_left_out_with_their_patients(finished, drawn, elsewhere, call, tmp_path):
    """One training image under another name and another patient, of whom another image is new."""
    learned = read_predictions(finished / "predictions.csv")["train"].names[0]
    row = next(row for row in rows_of(drawn) if row["image"] == learned)
    others = rows_of(elsewhere)
    rows = [{**row, "patient": "X", "mask": ""}, {**others[0], "patient": "X"}, *others[1:]]
    given = write_set(tmp_path / "mixed", rows, [drawn, *[elsewhere] * len(others)])
    code, output, errors = call(finished, given)
    assert code == 0, errors
    record = read_record(EvaluationRecord, tmp_path / "evaluation" / "config.json")
    assert record.data.excluded == {SAME: 1, RELATED: 1} and record.data.images == len(others) - 1
    assert f"left out: 1 ({SAME})" in output and SAME in (tmp_path / "evaluation" / "report.html").read_text()
    names = read_predictions(tmp_path / "evaluation" / "predictions.csv")["other"].names
    assert len(names) == 11 and not {Path(name).name for name in names} & {Path(learned).name} - {
        Path(each["image"]).name for each in others[1:]}


@pytest.fixture
def hospital(drawn, tmp_path, command, tiny_flags):
    """hospital() -> a run on images of the collection "A" that are not at hand any more."""
    def made():
        rows = rows_of(drawn)
        run, place = tmp_path / "run", write_set(tmp_path / "a", rows, [drawn] * len(rows), "A")
        code, _, errors = command(end2end.main, *tiny_flags(place, run), "--steps", 2)
        assert code == 0, errors
        shutil.rmtree(place)
        return run

    return made


@pytest.mark.parametrize("name", ["A", "B"])
def test_without_the_run_s_images_patients_are_compared_by_name(name, hospital, elsewhere, call, tmp_path):
    run, rows = hospital(), rows_of(elsewhere)
    own = read_predictions(run / "predictions.csv")
    alike = sum(row["patient"] in own["train"].patients for row in rows)
    rows[-1]["patient"] = "another"
    code, _, errors = call(run, write_set(tmp_path / "b", rows, [elsewhere] * len(rows), name))
    assert code == 0, errors
    record = read_record(EvaluationRecord, tmp_path / "evaluation" / "config.json")
    notes = " ".join(record.data.notes)
    assert "could not be found out by their pixels: the run's own images are not at hand" in notes
    if name == "A":
        assert 0 < record.data.excluded[NAMED] <= alike and record.data.images == 12 - record.data.excluded[NAMED]
    else:
        assert not record.data.excluded and "are called like patients that the run learned from" in notes


def test_a_network_of_two_classes_is_evaluated_without_normal_images(drawn, elsewhere, tmp_path, call, command,
                                                                     tiny_flags):
    run = tmp_path / "run"
    assert command(end2end.main, *tiny_flags(drawn, run), "--classes", 2, "--steps", 2)[0] == 0
    code, _, errors = call(run, elsewhere)
    assert code == 0, errors
    record = read_record(EvaluationRecord, tmp_path / "evaluation" / "config.json")
    assert record.data.excluded == {OF_OTHER_CLASSES: 4} and record.data.test == {"cancer": 4, "benign": 4}


def test_a_class_that_the_other_set_lacks(finished, elsewhere, call, tmp_path):
    rows = [row for row in rows_of(elsewhere) if row["label"] != "normal"]
    code, output, errors = call(finished, write_set(tmp_path / "abnormal", rows, [elsewhere] * len(rows)))
    assert code == 0, errors
    found = read_record(TransferredClassifier, tmp_path / "evaluation" / "results.json")
    assert found.other.auroc["normal"] is None and found.other.auroc["mean"] is None
    assert found.other.auroc["cancer"] is not None
    assert found.differences["auroc"]["mean"].difference.value is None
    tables = (tmp_path / "evaluation" / "tables.md").read_text()
    assert "has no normal images here" in tables and "The mean AUROC is undefined on the other set" in tables
    assert "The AUROC of cancer is " in output and "Always giving the most frequent answer" in tables


def test_a_set_of_one_class_shows_nothing_of_telling_apart(finished, elsewhere, call, tmp_path):
    rows = [row for row in rows_of(elsewhere) if row["label"] == "cancer"]
    code, output, errors = call(finished, write_set(tmp_path / "cancers", rows, [elsewhere] * len(rows)))
    assert code == 0, errors
    assert "all images of the other set are cancer" in (tmp_path / "evaluation" / "tables.md").read_text()
    assert "The AUROC of cancer is undefined on the other set" in output


def test_what_is_not_a_finished_run(finished, detectors, drawn, elsewhere, call, tmp_path):
    for run, message in ((drawn, "there is no run"), (tmp_path / "absent", "there is no run"),
                         (detectors / "P0-dice", "there is no run")):
        code, _, errors = call(run, elsewhere)
        assert code == 2 and message in errors, errors
    unfinished = shutil.copytree(finished, tmp_path / "unfinished")
    (unfinished / "results.json").unlink()
    code, _, errors = call(unfinished, elsewhere)
    assert code == 2 and "is not finished" in errors
    shutil.copy(finished / "results.json", unfinished)
    shutil.copy(detectors / "P0-dice" / "checkpoint.safetensors", unfinished)
    code, _, errors = call(unfinished, elsewhere)
    assert code == 1 and "the checkpoint of another training" in errors


def test_an_evaluation_is_no_run_and_is_not_written_over(evaluated, finished, elsewhere, cache, call, command):
    code, _, errors = call(evaluated, elsewhere)
    assert code == 2 and "experiments/evaluate.py; one of" in errors
    for output, message in ((evaluated, "holds a run already"), (finished, "holds a run already"),
                            (elsewhere / "in", "lies inside the folder of --data")):
        code, _, errors = command(evaluate.main, finished, "--data", elsewhere, "--cache", cache, "--output", output)
        assert code == 2 and message in errors, errors


def test_choices_that_the_other_set_does_not_know(finished, elsewhere, call):
    code, _, errors = call(finished, elsewhere, "--views", "both")
    assert code == 2 and "--views both" in errors and "nothing that it could choose" in errors


def test_a_killed_evaluation_can_begin_anew_in_its_folder(finished, elsewhere, evaluated, call, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(evaluation_folder, "write_text", killed)
        assert call(finished, elsewhere)[0] == 130
    assert not (tmp_path / "evaluation" / "config.json").exists()
    assert not list((tmp_path / "evaluation").rglob("*.partial"))
    code, _, errors = call(finished, elsewhere)
    assert code == 0, errors
    for name in ("results.json", "predictions.csv", "tables.md", "figures/roc.png"):
        assert (tmp_path / "evaluation" / name).read_bytes() == (evaluated / name).read_bytes(), name


@pytest.fixture(scope="module")
def roi(tmp_path_factory, cache, command):
    """A finished run of the ten detectors on 60 drawn mammograms, of two steps each."""
    place = tmp_path_factory.mktemp("roi")
    synthetic.write(place / "data", seed=5, images=60, height=80)
    code, _, errors = command(
        roi_detection.main, "--data", place / "data", "--output", place / "run", "--cache", cache, "--side", 32,
        "--working-side", 64, "--channels", 2, "--depth", 2, "--batch", 4, "--steps", 2, "--workers", 1)
    assert code == 0, errors
    return place / "run"


def test_detectors_on_another_set(roi, elsewhere, call, tmp_path, check_page):
    code, output, errors = call(roi, elsewhere)
    assert code == 0, errors
    assert "share of all lesions found" in output
    place = tmp_path / "evaluation"
    found, own = read_record(TransferredDetectors, place / "results.json"), read_record(RoiResults, roi / NAME)
    assert found.own == own.detectors and found.bounds == own.groups.bounds
    assert sum(found.groups.values()) == 8 and found.other["P0-ss"].froc.images == 12
    for name, detector in found.other.items():
        assert {group: of.images for group, of in detector.sizes.items()} == found.groups
        group = name.partition("-")[0]
        if found.groups[group]:
            assert detector.sizes[group].value == pytest.approx(detector.group["overlap_accuracy"])
        marks = found.differences[name]["false marks in an image"]
        assert marks.own.value == own.detectors[name].froc.all_marks.false_positives
        assert marks.other.value == detector.froc.all_marks.false_positives
    with open(place / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"]: row["label"] for row in rows} == {
        row["image"]: row["label"] for row in rows_of(elsewhere) if row["mask"]}
    for name, detector in found.other.items():
        assert sum(int(row[name]) for row in rows) / len(rows) == pytest.approx(detector.complete["overlap_accuracy"])
        for group, of in detector.sizes.items():
            answers = [int(row[name]) for row in rows if row["group"] == group]
            assert len(answers) == of.images and of.value == (pytest.approx(np.mean(answers)) if answers else None)
    assert sorted(path.name for path in place.iterdir()) == FILES
    record = read_record(EvaluationRecord, place / "config.json")
    assert len(record.checkpoints) == 10 and "P4-ss/checkpoint.safetensors" in record.checkpoints
    check_page((place / "report.html").read_text())
    assert sorted(path.name for path in (place / "figures").iterdir()) == ["borders.png", "froc.png"]


def test_one_of_the_ten_is_evaluated_with_the_others(roi, elsewhere, call):
    code, _, errors = call(roi / "P0-dice", elsewhere)
    assert code == 2 and f"name {roi}" in errors


def test_detectors_need_annotations(roi, elsewhere, call, tmp_path):
    rows = [{**row, "mask": ""} for row in rows_of(elsewhere)]
    code, _, errors = call(roi, write_set(tmp_path / "bare", rows, [elsewhere] * len(rows)))
    assert code == 1 and "none of its 12 images has an annotated lesion" in errors
    for row, given in zip(rows, rows_of(elsewhere), strict=True):
        row["mask"] = given["mask"] if row["label"] == "cancer" else ""
    code, _, errors = call(roi, write_set(tmp_path / "some", rows, [elsewhere] * len(rows)))
    assert code == 0, errors
    tables = (tmp_path / "evaluation" / "tables.md").read_text()
    assert "Abnormal images of some without an annotation, which take no part: 4." in tables


def test_detectors_of_an_earlier_version_have_fewer_figures(roi, elsewhere, call, tmp_path):
    old = shutil.copytree(roi, tmp_path / "old")
    results = json.loads((old / NAME).read_text())
    for detector in results["detectors"].values():
        del detector["froc"], detector["sizes"]
    (old / NAME).write_text(json.dumps(results))
    code, _, errors = call(old, elsewhere)
    assert code == 0, errors
    assert "made by an earlier version" in (tmp_path / "evaluation" / "tables.md").read_text()
