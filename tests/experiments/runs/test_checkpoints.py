"""Checkpoints that predict.py cannot use: one message each, before memory is asked for that only a lie needs."""
import json
import os
import shutil
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import save

from engine import checkpoint as format_of
from engine.checkpoint import load_checkpoint, save_checkpoint
from experiments import predict
from experiments.classifiers import network as classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.detectors import network as detector
from experiments.runs.provenance import provenance

SMALL = ClassifierConfiguration(preset="quick", side=32, width=0.05, working_side=64)
FIRST, *_, LAST = classifier.build(SMALL).parameters()  # paths of a kernel and of a bias
MOMENT = list(classifier.build(SMALL).moving_averages())[-1]
TRAINED = {"data": "set", "drawn": False, "images": {"cancer": 3}, "patients": 2}


def written(path, configuration=SMALL, change=lambda network: None, build=classifier.build, **other):
    """A checkpoint whose configuration says something else."""
    network = build(configuration)
    change(network)
    save_checkpoint(path, network, None, 5, configuration.record() | other, TRAINED)
    return path


def answer(path, command, drawn, *flags):
    return command(predict.main, path, drawn / "images", *flags)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", [LAST, MOMENT])
def test_weights_that_are_not_finite_answer_nothing(value, name, drawn, tmp_path, command):
    def spoil(network):
        (network.parameters() | network.moving_averages())[name][-1] = value

    code, output, errors = answer(written(tmp_path / "c.safetensors", change=spoil), command, drawn)
    assert (code, output) == (1, "") and f"{name}' holds numbers that are not finite" in errors


def test_finite_weights_whose_outputs_are_not_finite_name_the_image(drawn, tmp_path, command):
    def spoil(network):
        for path in list(network.parameters())[-4:]:  # of the last two dense layers, but for the last bias
            network.parameters()[path][...] = 3e38
        network.parameters()[LAST][...] = 0

    code, output, errors = answer(written(tmp_path / "c.safetensors", change=spoil), command, drawn)
    assert (code, output) == (1, "") and "outputs are not finite" in errors and "30 of 30" in errors


@pytest.mark.parametrize("other", [
    {"side": 32 * 10**6}, {"side": 10**400}, {"side": "32"}, {"side": None}, {"side": 50}, {"width": 1e9},
    {"width": float(10**300)}, {"width": "wide"}, {"classes": 99}, {"working_side": 7}, {"working_side": "x"},
    {"clip_limit": -1}, {"clip_limit": []}, {"unknown": 1}, {"statistics": "none"}, {"keep_probability": 0}])
def test_absurd_configurations_are_refused_before_they_take_memory(other, drawn, tmp_path, command, monkeypatch):
    path = written(tmp_path / "c.safetensors", **other)

    def never_large(configuration, *rest):
        assert configuration.side == 32 and configuration.width == 0.05
        return build(configuration, *rest)

    build = classifier.build
    monkeypatch.setattr("experiments.classifiers.trained.build", never_large)
    code, output, errors = answer(path, command, drawn)
    assert (code, output) == (2, "") and str(path) in errors and "Traceback" not in errors, errors


@pytest.mark.parametrize("other", [{"depth": 8}, {"depth": 2}, {"channels": 10**6}, {"depth": "1"}, {"side": 33}])
def test_absurd_configurations_of_a_detector(other, drawn, tmp_path, command):
    small = DetectorConfiguration(preset="quick", side=32, working_side=64, channels=2, depth=1)
    path = written(tmp_path / "c.safetensors", small, build=detector.build, **other)
    code, output, errors = answer(path, command, drawn, "--masks", tmp_path / "m")
    assert (code, output) == (2, "") and f"{path} is no checkpoint of a detector" in errors, errors


@pytest.mark.parametrize("kernel", [np.zeros(27), np.zeros((3, 3, 1)), np.zeros((3, 3, 5, 3)), np.zeros(()), None])
def test_kernels_of_other_dimensions(kernel, drawn, tmp_path, command, monkeypatch):
    arrays = format_of._arrays

    def changed(network, optimizer):
        found = arrays(network, optimizer)
        if kernel is None:
            return {"parameters/other.W": np.zeros(3)}
        return found | {f"parameters/{FIRST}": kernel.astype(np.float32)}

    with monkeypatch.context() as patch:
        patch.setattr(format_of, "_arrays", changed)
        path = written(tmp_path / "c.safetensors")
    code, output, errors = answer(path, command, drawn)
    assert (code, output) == (2, "") and "no checkpoint of experiments/end2end.py" in errors, errors
    assert FIRST in errors or kernel is None


def test_a_decomposition_s_checkpoint_in_the_folder_of_another_run(finished, decomposed, drawn, tmp_path, command):
    """With the digest of its detectors inside, and without."""
    new, old = (shutil.copytree(finished, tmp_path / name) for name in ("new", "old"))
    shutil.copy(decomposed / "checkpoint.safetensors", new)
    written(old / "checkpoint.safetensors", DecompositionConfiguration(**asdict(SMALL)))
    for folder, message in ((new, "P0.safetensors"), (old, "does not say by which detectors")):
        code, output, errors = answer(folder, command, drawn)
        assert (code, output) == (2, "") and message in errors, errors


def test_a_decomposition_s_checkpoint_among_the_detectors_of_another(decomposed, drawn, tmp_path, command):
    """Every file is whole and fits; only the digest in the checkpoint tells that the detectors are others."""
    other = shutil.copytree(decomposed, tmp_path / "run")
    for number in range(5):
        path = other / "detectors" / f"P{number}.safetensors"
        configuration = recorded_configuration(DetectorConfiguration, load_checkpoint(path).configuration, path)
        save_checkpoint(path, detector.build(configuration), None, 1, configuration.record())
    record = json.loads((other / "config.json").read_text())
    record["detectors"]["digest"] = "another"
    (other / "config.json").write_text(json.dumps(record))
    code, output, errors = answer(other, command, drawn)
    assert (code, output) == (1, "") and "does not hold the detectors" in errors


@pytest.mark.parametrize(("configuration", "words"), [
    ("[" * 100_000 + "]" * 100_000, "step and configuration"), ("[1, 2]", "step and configuration"),
    ("7", "step and configuration"),
    ("{}", "holds no digest")])
def test_json_that_is_no_configuration(configuration, words, drawn, tmp_path, command):
    path = tmp_path / "c.safetensors"
    path.write_bytes(save({f"parameters/{FIRST}": np.zeros((3, 3, 1, 3), np.float32)}, {
        "checkpoint": f'{{"step": 1, "configuration": {configuration}}}'}))
    code, output, errors = answer(path, command, drawn)
    assert (code, output) == (2, "") and words in errors and "Traceback" not in errors, errors


@pytest.mark.parametrize("dtype", ["BF16", "F16", "F64", "I32", "F8_E4M3", "BOOL"])
def test_tensors_of_other_dtypes(dtype, drawn, tmp_path, command):
    """As another library may write them: a header of JSON after its length, then the bytes."""
    size = {"BF16": 2, "F16": 2, "F64": 8, "I32": 4}.get(dtype, 1) * 27
    header = json.dumps({"__metadata__": {"checkpoint": json.dumps({"step": 1, "configuration": SMALL.record()})},
                         f"parameters/{FIRST}": {"dtype": dtype, "shape": [3, 3, 1, 3], "data_offsets": [0, size]}})
    path = tmp_path / "c.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(size))
    code, output, errors = answer(path, command, drawn)
    assert (code, output) == (2, "") and str(path) in errors and "Traceback" not in errors, errors


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_checkpoint_that_may_not_be_read(drawn, tmp_path, command):
    path = written(tmp_path / "c.safetensors")
    path.chmod(0)
    code, output, errors = answer(path, command, drawn)
    assert (code, output) == (1, "") and f"{path}: the checkpoint cannot be read (Permission denied)" in errors


@pytest.mark.parametrize(("data", "sentence", "drawn"), [
    (None, "Trained on: synthetic; 5 steps, preset quick.", True),
    ("/of/mammograms", "Trained on: data that the checkpoint does not name; 5 steps, preset quick.", False)])
def test_an_older_checkpoint_says_what_its_configuration_lets_know(data, sentence, drawn, tmp_path):
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, classifier.build(SMALL), None, 5, SMALL.record() | {"data": data})
    found = provenance(load_checkpoint(path), path)
    assert found.sentences[0] == sentence and found.drawn == drawn
    assert any("drawings" in each for each in found.sentences) == drawn
