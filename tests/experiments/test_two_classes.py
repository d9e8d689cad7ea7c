"""Cancer against benign: the classes of a run reach its network, its figures and its predictions."""
import json
import re

import numpy as np
import pytest

from engine.checkpoint import load_checkpoint
from experiments import end2end, predict
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.datasets import Dataset, Mammogram
from experiments.evaluation import evaluate
from experiments.evaluation.predictions import read_predictions
from experiments.inputs.selection import OF_OTHER_CLASSES, chosen_dataset, of_classes, with_normals
from experiments.reporting.tables import confusion_table, metrics_table, notes
from experiments.reporting.wording import headline
from experiments.system.errors import Failure, UsageError

TWO = ("cancer", "benign")


@pytest.fixture(scope="module")
def run(drawn, tmp_path_factory, command, tiny_flags):
    output = tmp_path_factory.mktemp("two") / "run"
    code, _, errors = command(end2end.main, *tiny_flags(drawn, output), "--classes", 2, "--steps", 20)
    assert code == 0, errors
    return output


def test_the_run_knows_two_classes(run):
    config = json.loads((run / "config.json").read_text())
    assert config["configuration"]["classes"] == 2
    assert list(config["data"]["train"]) == list(config["data"]["test"]) == list(TWO)
    assert config["data"]["images"] == 20 and config["data"]["excluded"] == {OF_OTHER_CLASSES: 10}
    parameters = load_checkpoint(run / "checkpoint.safetensors").part("parameters")
    assert parameters["dense_c.b"].shape == (2,)
    results = json.loads((run / "results.json").read_text())
    for split in ("train", "test"):
        for name in ("accuracy", "specificity", "precision", "recall", "auroc", "accuracy_ci", "auroc_ci", "counts"):
            assert list(results[split][name]) == [*TWO, "mean"]
        assert np.shape(results[split]["confusion"]) == (2, 2)
        assert set(results[split]["guesser"]["accuracy"].values()) == {0.5}
    written = read_predictions(run / "predictions.csv")
    assert {name: given.classes for name, given in written.items()} == {"test": TWO, "train": TWO}
    evaluation = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines() if "evaluation" in line]
    assert evaluation[-1]["evaluation"]["test"]["accuracy"] == results["test"]["accuracy"]["mean"]


def test_the_thesis_s_three_classes_are_not_compared_with(run):
    tables, page = (run / "tables.md").read_text(), (run / "report.html").read_text()
    for text in (tables, page):
        assert not re.search(r"thesis, Table|as printed|two others|(?<!un)normal (and|or)", text)
        assert "another task" in text
    assert "| | Cancer | Benign | Mean |" in tables and ">Normal<" not in page


def test_predictions_are_of_the_run_s_classes(run, drawn, tmp_path, command):
    image = next(path for path in sorted(drawn.rglob("*.png")) if "mask" not in path.name)
    code, output, errors = command(predict.main, run / "checkpoint.safetensors", image, "--json", tmp_path / "p.json")
    assert code == 0, errors
    row = json.loads((tmp_path / "p.json").read_text())["images"][0]
    assert tuple(row["probabilities"]) == TWO and row["prediction"] in TWO
    assert "normal" not in output.replace(str(image), "")


def test_resuming_with_other_classes(run, drawn, command, tiny_flags):
    code, _, errors = command(end2end.main, *tiny_flags(drawn, run), "--steps", 20, "--resume", "--classes", 3)
    assert code == 2 and "classes 2, the flag says 3" in errors


def result(confusion):
    labels = np.repeat([0, 1], np.sum(confusion, axis=1))
    predicted = np.concatenate([np.repeat([0, 1], row) for row in confusion])
    return evaluate(np.eye(2)[predicted], labels, np.arange(len(labels)), classes=TWO)


def test_figures_of_two_classes():
    found = result(((30, 10), (20, 60)))
    assert found.accuracy == {"cancer": 0.75, "benign": 0.75, "mean": 0.75}
    assert found.recall["cancer"] == found.specificity["benign"] == 0.75
    assert found.precision["cancer"] == 0.6 and found.majority.answer == "benign"
    assert found.plain_accuracy == 0.75
    assert metrics_table("test", found, None).columns == ("Cancer", "Benign", "Mean")
    assert [row.cells for row in confusion_table("test", found).rows] == [("30", "10"), ("20", "60")]
    assert "another task" in " ".join(headline(found, found))
    texts = " ".join(notes({}, False, "a set", TWO))
    assert "1/2 each" in texts and "footnote" not in texts


def mammogram(name, label, patient="P", source="s"):
    return Mammogram(name, patient, label, source, name, load=lambda: None)


def test_normals_of_another_set_keep_patient_and_source():
    own = Dataset("own", [mammogram("a", "cancer"), mammogram("b", "benign")], {"hybrid": 1}, ("A note.",))
    other = Dataset("other", [mammogram("a", "normal", "Q", "scanner"), mammogram("c", "cancer")], {"hybrid": 5})
    joined = with_normals(own, other)
    assert [(one.name, one.patient, one.label, one.source) for one in joined.mammograms[2:]] == [
        ("normals/a", "Q", "normal", "scanner")]
    assert joined.excluded == {"hybrid": 1} and joined.notes[0] == "A note." and "All 1 normal" in joined.notes[1]
    assert "1 of the 2 normal images" in with_normals(joined, other).notes[-1]


def test_images_of_other_classes_are_counted():
    data = Dataset("own", [mammogram("a", "cancer"), mammogram("b", "normal"), mammogram("c", "benign")], {"hybrid": 1})
    assert of_classes(data, ("cancer", "normal", "benign")) == data
    left = of_classes(data, TWO)
    assert [one.name for one in left.mammograms] == ["a", "c"] and left.excluded == {"hybrid": 1, OF_OTHER_CLASSES: 1}


def test_folders_of_normals_that_cannot_be(drawn, data):
    with pytest.raises(UsageError, match="the folder of --data itself"):
        chosen_dataset(ClassifierConfiguration(data=str(drawn), normals=str(drawn / ".." / drawn.name)))
    with pytest.raises(UsageError, match="no such folder"):
        chosen_dataset(ClassifierConfiguration(data=str(drawn), normals=str(drawn / "nowhere")))
    with pytest.raises(UsageError, match=r"--normals .*three classes"):
        ClassifierConfiguration(data=str(drawn), normals=str(data), classes=2)
    (data / "inner").symlink_to(drawn / "images")
    rows = [line.split(",") for line in (drawn / "labels.csv").read_text().replace("images/", "inner/").splitlines()]
    (data / "labels.csv").write_text("image,label,patient\n" + "".join(
        f"{image},{label},{patient}\n" for image, _, label, patient, *_ in rows[1:]))
    with pytest.raises(Failure, match=r"10 of the normal images of data are files of synthetic, too, the first inner/"):
        chosen_dataset(ClassifierConfiguration(data=str(drawn), normals=str(data)))
    table = data / "labels.csv"
    table.write_text("".join(line for line in table.read_text().splitlines(True) if ",normal," not in line))
    with pytest.raises(Failure, match="has no normal images to add"):
        chosen_dataset(ClassifierConfiguration(data=str(drawn), normals=str(data)))
