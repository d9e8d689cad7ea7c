"""export.py: the file that other programs read answers as the run's network does, and says what it must be given."""
import json
import shutil
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from engine.checkpoint import load_checkpoint
from engine.layer import Run
from experiments import export, retraining
from experiments.evaluation.segmentation import MEASURES, DetectorResults
from experiments.exporting import onnx_file
from experiments.exporting.network import load_network
from experiments.system.records import write_record
from models.predict import predict

NEEDS = 'needs the extra "onnx": pip install -e ".[onnx]"'


@pytest.fixture
def onnx():
    pytest.importorskip("onnxruntime", reason=NEEDS)
    return pytest.importorskip("onnx", reason=NEEDS)


@pytest.fixture(scope="module")
def retrained(decomposed, tmp_path_factory, command):
    output = tmp_path_factory.mktemp("retrained") / "run"
    code, _, errors = command(retraining.main, "--decomposition", decomposed, "--steps", 2, "--output", output,
                              "--cache", output.parent / "cache", "--workers", 1)
    assert code == 0, errors
    return output


@pytest.fixture
def place(request, finished, detectors, decomposed, retrained):
    return {"end2end": finished, "decomposition": decomposed, "retraining": retrained,
            "detector": detectors / "P4-dice",
            "kept detector": decomposed / "detectors" / "P0.safetensors"}[request.param]


@pytest.mark.parametrize(("place", "kind", "channels"), [
    ("end2end", "classifier", 1), ("decomposition", "decomposition", 2), ("retraining", "retraining", 2),
    ("detector", "detector", 1), ("kept detector", "detector", 1)], indirect=["place"])
def test_the_file_answers_as_the_network_and_says_what_it_takes(place, kind, channels, onnx, tmp_path, command):
    import onnxruntime

    file = tmp_path / "deep" / "network.onnx"
    code, output, errors = command(export.main, place, "--onnx", file)
    assert code == 0, errors
    assert f"ONNX file: {file}" in output and "not for diagnosis" in output
    trained, session = load_network(place), onnxruntime.InferenceSession(file)
    x = np.random.default_rng(0).random((2, *trained.shape), np.float32)
    theirs = session.run(["probabilities", "logits"], {"x": x})
    for own, other in zip(predict(trained.network, x), theirs, strict=True):
        np.testing.assert_allclose(other, own, rtol=0, atol=1e-5 * max(1, np.abs(own).max()))
    said = session.get_modelmeta().custom_metadata_map
    assert (said["kind"], said["side"], said["channels"], said["dtype"]) == (kind, "32", str(channels), "float32")
    assert said["caution"] == "A research and teaching tool, not for diagnosis."
    assert json.loads(said["classes"]) == ([] if kind == "detector" else ["cancer", "normal", "benign"])
    assert json.loads(said["threshold"]) == (0.5 if kind in ("detector", "decomposition") else None)
    assert said["fingerprint"] == load_checkpoint(trained.path).trained_on["fingerprint"]
    assert f"x: (N, 32, 32, {channels}) float32" in said["input"]
    assert ("0 everywhere" in said["input"]) == (kind == "retraining")
    assert ("how many of the five ROI detectors" in said["input"]) == (kind == "decomposition")
    assert "64 x 64 pixels" in said["preprocessing"] and "averaged over areas to 32 x 32" in said["preprocessing"]
    assert json.loads(said["versions"])["numpy"] == np.__version__ and json.loads(said["trained_on"])
    onnx.checker.check_model(onnx.load(file), full_check=True)


def test_the_usual_places(finished, decomposed, onnx, tmp_path, command):
    run = shutil.copytree(finished, tmp_path / "run")
    assert command(export.main, run)[0] == 0 and (run / "model.onnx").exists()
    first = (run / "model.onnx").read_bytes()
    assert command(export.main, run / "checkpoint.safetensors")[0] == 0 and (run / "model.onnx").read_bytes() == first
    copied = shutil.copytree(decomposed, tmp_path / "decomposed")
    assert command(export.main, copied / "detectors" / "P3.safetensors")[0] == 0
    assert (copied / "detectors" / "P3.onnx").exists()


def test_a_file_that_answers_otherwise_is_not_written(finished, onnx, tmp_path, monkeypatch, command):
    for difference in (2e-5, float("nan")):
        monkeypatch.setattr(onnx_file, "largest_difference", lambda *_, found=difference: found)
        code, _, errors = command(export.main, finished, "--onnx", tmp_path / "network.onnx")
        assert code == 1 and f"differ by {difference:.1e} of the largest; expected at most 1e-05" in errors
    assert not list(tmp_path.iterdir())


def test_the_batch_is_of_drawn_mammograms_with_their_second_channel(decomposed):
    trained = load_network(decomposed)
    x = trained.drawn_batch()
    assert x.shape == (3, 32, 32, 2) and x.dtype == np.float32 and len(np.unique(x[..., 1])) > 1
    assert x[..., 0].min() >= 0 and x[..., 0].max() <= 1 and not np.array_equal(x[0], x[1])


def test_without_the_libraries(finished, tmp_path, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, _, errors = command(export.main, finished, "--onnx", tmp_path / "network.onnx")
    assert code == 2 and 'pip install -e ".[onnx]"' in errors
    assert command(export.main, finished, "--hub", tmp_path / "hub")[0] == 0, "a folder for a hub needs neither"


def test_without_onnxruntime_it_says_that_nothing_was_compared(finished, tmp_path, monkeypatch, command):
    pytest.importorskip("onnx", reason=NEEDS)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    code, output, _ = command(export.main, finished, "--onnx", tmp_path / "network.onnx")
    assert code == 0 and "Not compared with the engine: onnxruntime is not installed" in output
    assert (tmp_path / "network.onnx").exists()


def card(folder):
    """The model card's YAML head, and the rest."""
    yaml = pytest.importorskip("yaml")
    _, head, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(head), text


def test_a_folder_for_a_hub(finished, tmp_path, monkeypatch, command):
    folder = tmp_path / "hub"
    code, output, errors = command(export.main, finished, "--hub", folder)
    assert code == 0 and f"Folder for a hub: {folder}" in output, errors
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    trained, said = load_network(finished), json.loads((folder / "config.json").read_text())
    arrays = trained.network.parameters() | trained.network.moving_averages()
    kept = load_file(folder / "model.safetensors")
    assert kept.keys() == arrays.keys() and all(np.array_equal(kept[path], array) for path, array in arrays.items())
    assert said["configuration"] == trained.checkpoint.configuration and said["kind"] == "classifier"
    head, text = card(folder)
    test = json.loads((finished / "results.json").read_text())["test"]
    values = {each["name"]: each["value"] for each in head["model-index"][0]["results"][0]["metrics"]}
    assert values["accuracy, mean"] == test["accuracy"]["mean"] and len(values) == 8
    low, high = test["accuracy_ci"]["mean"]
    assert f"| accuracy, mean | {test['accuracy']['mean']:.4f} | {low:.3f} to {high:.3f} |" in text
    assert head["pipeline_tag"] == "image-classification" and "not-for-diagnosis" in head["tags"]
    for needed in ("not for diagnosis", "drawings", said["fingerprint"], said["preprocessing"], "no medical device"):
        assert needed in text


@pytest.mark.parametrize("place", ["end2end", "decomposition", "detector"], indirect=True)
def test_the_code_on_the_card_loads_the_network(place, tmp_path, monkeypatch, command):
    assert command(export.main, place, "--hub", tmp_path)[0] == 0
    code = (tmp_path / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    own = load_network(place).network.forward(names["x"], Run(train=False))[0]
    np.testing.assert_array_equal(names["logits"], own)


def test_what_nobody_measured_is_not_said(detectors, tmp_path, command):
    assert command(export.main, detectors / "P0-ss", "--hub", tmp_path)[0] == 0
    head, text = card(tmp_path)
    assert "model-index" not in head and "it is not known how good the network is" in text
    assert head["pipeline_tag"] == "image-segmentation"


def test_the_figures_of_a_detector_are_those_of_all_test_images_with_a_lesion(detectors, tmp_path, command):
    run = shutil.copytree(detectors / "P1-dice", tmp_path / "P1-dice")
    own, all_sizes = ({split: dict.fromkeys(MEASURES, value) for split in ("train", "test")} for value in (0.25, 0.75))
    write_record(run / "results.json", DetectorResults(own, all_sizes))
    assert command(export.main, run, "--hub", tmp_path / "hub")[0] == 0
    head, text = card(tmp_path / "hub")
    metrics = head["model-index"][0]["results"][0]["metrics"]
    assert {each["name"]: each["value"] for each in metrics} == dict.fromkeys(
        ("accuracy", "precision", "recall", "overlap accuracy"), 0.75)
    assert "| overlap accuracy | 0.7500 |  |" in text and "the detector P1-dice" in text


def test_nothing_is_overwritten(finished, tmp_path, command):
    (tmp_path / "mine.txt").write_text("mine")
    code, _, errors = command(export.main, finished, "--hub", tmp_path)
    assert code == 2 and "expected a new or an empty folder" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    code, _, errors = command(export.main, finished, "--hub", tmp_path / "mine.txt")
    assert code == 2 and "expected a new or an empty folder" in errors


def test_what_is_no_run(detectors, tmp_path, command):
    for given, message in ((tmp_path, "no run that has a checkpoint"), (detectors, "Name one of them"),
                           (tmp_path / "absent", "no such checkpoint")):
        code, _, errors = command(export.main, given)
        assert code == 2 and message in errors
