"""--head svm: the machine beside the network's own head, as the commands measure and report it."""
import json

import numpy as np
import pytest
from PIL import Image

from engine.checkpoint import load_checkpoint
from engine.layer import Run
from engine.layers import Dense
from experiments import decomposition, end2end, predict
from experiments.classifiers import heads
from experiments.classifiers.network import build, features_of
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.evaluation.predictions import read_predictions
from experiments.evaluation.results import NAME, ClassifierResults
from experiments.reporting.svm import FILE
from experiments.system.errors import Failure
from experiments.system.records import read_record
from models.predict import predict as answer
from models.vgg import features, vgg


@pytest.fixture(scope="module")
def with_svm(drawn, tmp_path_factory, command, tiny_flags):
    """The folder of a run like `finished` with a machine beside its network."""
    output = tmp_path_factory.mktemp("svm") / "run"
    code, said, errors = command(end2end.main, *tiny_flags(drawn, output), "--head", "svm")
    assert code == 0, errors
    assert "Support vector machine: mean one-vs-all accuracy" in said
    return output


def test_features_are_what_the_last_layer_takes_without_dropout():
    x = np.random.default_rng(0).random((3, 32, 32, 1))
    for keep in (0.5, 1.0):
        network = vgg(32, width=0.05, keep_probability=keep, rng=np.random.default_rng(1), dtype="float64")
        found, _ = features(network).forward(x, Run(train=False, record=False))
        assert found.shape == (3, 26) and (found >= 0).all() and isinstance(network["dense_c"], Dense)
        last, _ = network["dense_c"].forward(found, Run(train=False, record=False))
        np.testing.assert_array_equal(last, answer(network, x)[1])


def test_the_training_is_the_same_with_a_machine_beside_it(with_svm, finished):
    ours, theirs = (load_checkpoint(run / "checkpoint.safetensors").arrays for run in (with_svm, finished))
    assert all(np.array_equal(theirs[name], ours[name]) for name in ours) and ours.keys() == theirs.keys()
    assert (with_svm / "predictions.csv").read_bytes() == (finished / "predictions.csv").read_bytes()
    assert not (finished / FILE).exists() and read_record(ClassifierResults, finished / NAME).svm is None
    assert "upport vector" not in (finished / "report.html").read_text()


def test_both_heads_are_measured_on_the_same_images(with_svm, check_page):
    own, machine = (read_predictions(with_svm / name) for name in ("predictions.csv", FILE))
    results = read_record(ClassifierResults, with_svm / NAME)
    assert own.keys() == machine.keys() == {"test", "train"}
    for split in own:
        for column in ("names", "patients", "labels"):
            np.testing.assert_array_equal(getattr(own[split], column), getattr(machine[split], column))
        assert not np.array_equal(own[split].probabilities, machine[split].probabilities)
    right = (machine["test"].probabilities.argmax(axis=1) == machine["test"].labels).mean()
    found = results.svm
    assert found is not None and found.test.plain_accuracy == pytest.approx(right)
    assert found.comparison.plain_accuracy.difference == pytest.approx(results.test.plain_accuracy - right)
    assert found.comparison.plain_accuracy.ci is not None and found.settings.features == 26
    page, tables = (with_svm / "report.html").read_text(), (with_svm / "tables.md").read_text()
    check_page(page)
    assert tables.count("– support vector machine |") == 2 * 5 and "## Support vector machine" in tables
    assert (with_svm / "figures" / "roc_svm.png").exists() and 'alt="ROC curves of the support vector machine' in page


def test_interrupted_while_the_machine_is_fitted_and_resumed_it_ends_with_the_same_bytes(
        with_svm, drawn, tmp_path, command, tiny_flags, monkeypatch):
    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(heads.svm, "fit", stop)
        code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--head", "svm")
        assert code == 130 and "stopped" in errors and not (tmp_path / "run" / NAME).exists()
    code, _, errors = command(end2end.main, "--resume", "--output", tmp_path / "run", "--cache", tmp_path / "cache")
    assert code == 0, errors
    for name in ("predictions.csv", FILE, NAME):
        assert (tmp_path / "run" / name).read_bytes() == (with_svm / name).read_bytes()


def test_a_run_goes_on_with_the_head_it_began_with(finished, drawn, command, tiny_flags):
    code, _, errors = command(end2end.main, *tiny_flags(drawn, finished), "--resume", "--head", "svm")
    assert code == 2 and "has head network, the flag says svm" in errors


def test_what_answers_for_other_images_is_the_networks_own_head_and_says_so(with_svm, finished, drawn, command):
    image = next(iter(sorted(drawn.rglob("*.png"))))
    said = {run: command(predict.main, run, image) for run in (with_svm, finished)}
    assert all(code == 0 for code, _, _ in said.values())
    told = "It answers by its own last layer; the support vector machine that its run measured beside it is not kept."
    assert told in said[with_svm][1] and "support vector" not in said[finished][1]
    assert said[with_svm][1].splitlines()[-1] == said[finished][1].splitlines()[-1]  # the probabilities


def test_the_decomposition_has_it_too(drawn, detectors, finished, tmp_path, command, tiny_flags):
    code, _, errors = command(decomposition.main, *tiny_flags(drawn, tmp_path / "run"), "--steps", 2, "--detectors",
                              detectors, "--end2end", finished, "--head", "svm")
    assert code == 0, errors
    assert read_record(ClassifierResults, tmp_path / "run" / NAME).svm is not None


def test_stripes_that_the_network_has_learned_the_machine_knows_too(tmp_path, command):
    """An easy case: none, upright stripes, level stripes; also where some patients are held out."""
    stripes(tmp_path / "data")
    code, _, errors = command(
        end2end.main, "--data", tmp_path / "data", "--output", tmp_path / "run", "--cache", tmp_path / "cache",
        "--side", 32, "--working-side", 64, "--width", 0.1, "--batch", 12, "--workers", 1, "--steps", 120,
        "--epochs", 2, "--learning-rate", 2e-3, "--validation", 0.2, "--head", "svm")
    assert code == 0, errors
    assert read_predictions(tmp_path / "run" / FILE).keys() == {"test", "train", "validation"}
    results = read_record(ClassifierResults, tmp_path / "run" / NAME)
    assert results.svm is not None and results.svm.test.auroc["mean"] >= max(0.9, results.test.auroc["mean"] - 0.05)
    assert results.svm.test.plain_accuracy >= results.test.plain_accuracy - 0.1


def stripes(folder):
    folder.mkdir()
    generator, rows = np.random.default_rng(0), ["image,label,patient"]
    place = np.arange(64)
    wave = 40 * np.sin(place * np.pi / 4)
    for patient in range(30):
        label = ("normal", "benign", "cancer")[patient % 3]
        pattern = {"normal": np.zeros((64, 64)), "benign": np.tile(wave, (64, 1)),
                   "cancer": np.tile(wave[:, None], (1, 64))}[label]
        for number in range(2):
            pixels = 120 + pattern + generator.normal(0, 5, (64, 64))
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"{patient}-{number}.png")
            rows.append(f"{patient}-{number}.png,{label},{patient}")
    (folder / "images.csv").write_text("\n".join(rows))


def test_too_few_patients_are_told_before_anything_is_trained(drawn, tmp_path, command, tiny_flags, monkeypatch):
    def too_few(*given):
        raise Failure("--head svm: too few training patients")

    monkeypatch.setattr(heads.svm, "folds_of", too_few)
    code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--head", "svm")
    assert code == 1 and "too few training patients" in errors
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_features_that_are_no_numbers():
    class Images:
        labels, classes = np.zeros(4, np.int64), ("cancer", "normal", "benign")

        def images(self, indices):
            return np.zeros((len(indices), 32, 32, 1), np.float32)

    network = build(ClassifierConfiguration(side=32, width=0.05))
    network["dense_b"].params["b"][:] = np.inf
    with pytest.raises(Failure, match="features are not finite numbers for 4 of 4 images"):
        features_of(network, Images(), np.arange(4))


def test_its_time_is_told_beforehand(with_svm, finished):
    """And kept with what it took."""
    for run, there in ((with_svm, True), (finished, False)):
        times = json.loads((run / "config.json").read_text())["times"]
        assert [heads.PART in times[name] for name in ("expected", "took")] == [there, there]
