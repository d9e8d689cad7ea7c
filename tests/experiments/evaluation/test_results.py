"""Results in files: read back as they were written, and refused by the name of the field where they are damaged."""
import json
from functools import partial

import numpy as np
import pytest

from experiments.evaluation import Evaluation, evaluate
from experiments.evaluation.confounders import BesideGuessing, BlindClassifier, Confounders
from experiments.evaluation.paired import Comparison, compare
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.recovery import Audit, audit
from experiments.evaluation.results import ClassifierResults, RoiResults
from experiments.evaluation.segmentation import MEASURES, DetectorResults
from experiments.evaluation.spread import Spread, spread
from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GroupsRecord
from experiments.system.errors import Failure
from experiments.system.records import read_record, write_record

DATA = DataRecord("a set", False, "abc", 60, 30, {"hybrid": 1}, {}, ["A note."], {"cancer": 9}, {"cancer": 3}, 20, 10)
CONFOUNDERS = Confounders({"a": {"cancer": 1}}, BlindClassifier(
    BesideGuessing(0.4, (0.3, 0.5), 1 / 3, 1 / 3), BesideGuessing(0.5, None, 0.5, 0.6),
    BesideGuessing(None, None, 0.5, 0.5), 0.01))


def outputs(seed, classes=3):
    generator = np.random.default_rng(seed)
    return ImagePredictions(np.arange(60).astype(str), (np.arange(60) // 2).astype(str), np.arange(60) % classes,
                            generator.random((60, 3), np.float32))


def evaluation(seed=0, classes=3):
    given = outputs(seed, classes)
    return evaluate(given.probabilities, given.labels, given.patients)


def detector(value):
    measures = {"train": dict.fromkeys(MEASURES, value), "test": dict.fromkeys(MEASURES)}
    return DetectorResults(measures, measures)


MADE = {
    Evaluation: partial(evaluation, classes=2),  # with undefined figures
    ClassifierResults: lambda: ClassifierResults(evaluation(0), evaluation(1), DATA, 3, CONFOUNDERS),
    RoiResults: lambda: RoiResults({"P0-dice": detector(0.5)}, {"P0-dice": None, "P1-dice": 50},
                                   GroupsRecord([1.5], {"P0": 1}, {"P0": 0}, {"P0": None}), DATA, 0),
    Comparison: lambda: compare([outputs(0), outputs(1)], [outputs(2), outputs(3)], ("one", "other")),
    Spread: lambda: spread([evaluation(0), evaluation(1, classes=2)]),
    Audit: audit}


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
def test_what_was_written_is_read(kind, tmp_path):
    made = MADE[kind]()
    write_record(tmp_path / "kept.json", made)
    assert read_record(kind, tmp_path / "kept.json") == made


def edit(file, kind, path, change):
    """Write the record, change what the JSON object above the end of the path holds, and write that."""
    write_record(file, MADE[kind]())
    content = place = json.loads(file.read_text())
    for name in path[:-1]:
        place = place[name]
    change(place)
    file.write_text(json.dumps(content))


def test_whole_numbers_stay_whole(tmp_path):
    write_record(tmp_path / "kept.json", evaluation())
    found = read_record(Evaluation, tmp_path / "kept.json")
    assert isinstance(found.counts["cancer"].tp, int) and isinstance(found.counts["mean"].tp, float)


@pytest.mark.parametrize(("kind", "path", "value", "told"), [
    (ClassifierResults, ["test", "accuracy"], None, r"\$\.test\.accuracy"),
    (ClassifierResults, ["test", "accuracy_ci", "mean"], [0.5], r"\$\.test\.accuracy_ci"),
    (ClassifierResults, ["train", "counts", "cancer", "tp"], "1", r"\$\.train\.counts\[\.\.\.\]\.tp"),
    (ClassifierResults, ["train", "confusion"], [[1.5]], r"\$\.train\.confusion"),
    (ClassifierResults, ["confounders", "classifier", "penalty"], "small", r"\$\.confounders\.classifier\.penalty"),
    (ClassifierResults, ["data", "fingerprint"], 1, r"\$\.data\.fingerprint"),
    (RoiResults, ["detectors", "P0-dice", "group"], 3, r"\$\.detectors\[\.\.\.\]\.group"),
    (RoiResults, ["groups", "lesion_pixels"], [], r"\$\.groups\.lesion_pixels"),
    (Audit, ["tables", "4.2", "answers"], 1.5, r"\$\.tables\[\.\.\.\]\.answers")])
def test_another_type_is_refused_by_the_name_of_the_field(kind, path, value, told, tmp_path):
    def change(place):
        assert path[-1] in place
        place[path[-1]] = value

    edit(tmp_path / "kept.json", kind, path, change)
    with pytest.raises(Failure, match=rf"kept\.json is damaged: .*{told}"):
        read_record(kind, tmp_path / "kept.json")


@pytest.mark.parametrize(("kind", "path", "told"), [
    (ClassifierResults, ["test", "accuracy", "mean"], r"expected are the classes of every other figure, and mean"),
    (ClassifierResults, ["test", "recall", "normal"], r"`recall` is of cancer, benign, mean; expected .*\$\.test"),
    (ClassifierResults, ["train", "auroc_ci", "cancer"], r"`auroc_ci` is of .*\$\.train"),
    (ClassifierResults, ["test", "guesser", "auroc"], r"`guesser\.auroc` is of no class"),
    (Comparison, ["auroc", "benign"], r"`auroc` is of cancer, normal, mean"),
    (Spread, ["precision", "mean"], r"`precision` is of cancer, normal, benign;"),
    (RoiResults, ["detectors", "P0-dice", "group", "test"], r"`group` lacks loss, accuracy, .* of the test images"),
    (RoiResults, ["detectors", "P0-dice", "complete", "train", "recall"], r"`complete` lacks recall of the train")])
def test_a_class_or_measure_that_is_absent_is_named(kind, path, told, tmp_path):
    edit(tmp_path / "kept.json", kind, path, lambda place: place.pop(path[-1]))
    with pytest.raises(Failure, match=rf"kept\.json is damaged: .*{told}"):
        read_record(kind, tmp_path / "kept.json")


@pytest.mark.parametrize(("kind", "path"), [
    (ClassifierResults, ["test"]), (ClassifierResults, ["train", "majority", "answer"]), (ClassifierResults, ["seed"]),
    (RoiResults, ["detectors", "P0-dice", "complete"]), (RoiResults, ["reached"]), (Spread, ["plain_accuracy", "sd"]),
    (Comparison, ["accuracy", "mean", "by_seed"]), (Audit, ["footnote_5", "normal", "printed"])])
def test_an_absent_field_is_named(kind, path, tmp_path):
    edit(tmp_path / "kept.json", kind, path, lambda place: place.pop(path[-1]))
    with pytest.raises(Failure, match=rf"kept\.json is damaged: .*missing required field `{path[-1]}`"):
        read_record(kind, tmp_path / "kept.json")
