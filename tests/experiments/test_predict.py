"""predict.py: the probabilities that the run itself had, pictures for each image, clear messages."""
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from experiments import predict, retraining
from experiments.evaluation.predictions import read_predictions
from experiments.fixed_detectors import kept_detectors
from experiments.reporting.figures import overlay_figure, saliency_figure
from experiments.trained_classifier import load_classifier
from models.saliency import saliency


def first(data, label):
    """Path of the first image with this label."""
    row = next(line for line in (data / "labels.csv").read_text().splitlines() if f",{label}," in line)
    return data / row.split(",")[0]


def spoiled(data):
    """Path of an image that is made useless."""
    path = first(data, "normal")
    Image.fromarray(np.zeros((80, 64), np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def retrained(decomposed, tmp_path_factory, command):
    """A retraining of two more steps."""
    output = tmp_path_factory.mktemp("retrained") / "run"
    code, _, errors = command(retraining.main, "--decomposition", decomposed, "--steps", 2, "--output", output,
                              "--cache", output.parent / "cache", "--workers", 1)
    assert code == 0, errors
    return output


def test_prediction_for_one_image_and_many(finished, drawn, tmp_path, command):
    images = [first(drawn, "cancer"), first(drawn, "normal")]
    code, output, _ = command(predict.main, finished / "checkpoint.safetensors", *images, "--json", tmp_path / "p.json")
    assert code == 0 and len(output.splitlines()) == 3
    rows = json.loads((tmp_path / "p.json").read_text())["images"]
    assert [row["image"] for row in rows] == [str(image) for image in images]
    for row in rows:
        assert row["prediction"] == max(row["probabilities"], key=row["probabilities"].get)


@pytest.mark.parametrize("run", ["finished", "decomposed", "retrained"])
def test_the_probabilities_are_those_that_the_run_wrote_of_its_test_images(run, drawn, tmp_path, request, command):
    folder = request.getfixturevalue(run)
    known = read_predictions(folder / "predictions.csv")["test"]
    images = [drawn / name for name in known.names]
    code, _, errors = command(predict.main, folder / "checkpoint.safetensors", *images, "--json", tmp_path / "p.json")
    assert code == 0, errors
    rows = json.loads((tmp_path / "p.json").read_text())["images"]
    np.testing.assert_allclose([list(row["probabilities"].values()) for row in rows], known.probabilities, rtol=1e-5)


def test_the_second_channel_is_the_detectors_heat_map_and_after_a_retraining_empty(decomposed, retrained, drawn):
    made, again = (load_classifier(run / "checkpoint.safetensors", "cpu") for run in (decomposed, retrained))
    image = made.prepare(first(drawn, "cancer"))
    counts = kept_detectors(decomposed, 0.5).heat_map(image)
    np.testing.assert_array_equal(made.input(image)[..., 1], counts)
    assert len(np.unique(counts)) > 1 and not again.input(image)[..., 1].any()
    for classifier in (made, again):
        assert classifier.input(image).shape == (1, 32, 32, 2)
        np.testing.assert_array_equal(classifier.input(image)[..., :1], image)


def test_prediction_goes_on_after_an_image_that_cannot_be_used(finished, data, tmp_path, command):
    good, bad = first(data, "cancer"), spoiled(data)
    call = (predict.main, finished / "checkpoint.safetensors")
    code, output, errors = command(*call, bad, good, "--saliency", tmp_path / "pictures")
    assert code == 1 and "all pixels are 0" in errors and "1 of 2" in errors and str(good) in output
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == [f"{good.name}.saliency.png"]
    assert command(*call, bad)[:2] == (1, "")


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint"])
def test_prediction_with_what_is_no_checkpoint(content, drawn, tmp_path, command):
    path = tmp_path / "checkpoint.safetensors"
    if content is not None:
        path.write_bytes(content)
    code, _, errors = command(predict.main, path, first(drawn, "cancer"))
    assert code == 2 and str(path) in errors and "Traceback" not in errors


def test_a_detector_is_no_classifier(detectors, drawn, command):
    path = detectors / "P0-dice" / "checkpoint.safetensors"
    code, _, errors = command(predict.main, path, first(drawn, "cancer"))
    assert code == 2 and f"{path} is no checkpoint of experiments/end2end.py" in errors


def test_pictures_stand_in_folders_like_the_images(finished, drawn, tmp_path, command):
    images = [tmp_path / "a" / "one.png", tmp_path / "a" / "b" / "one.png", tmp_path / "a" / "one.pgm"]
    for image, label in zip(images, ("cancer", "benign", "normal"), strict=True):
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.open(first(drawn, label)).save(image)
    folder = tmp_path / "pictures"
    code, output, errors = command(predict.main, finished / "checkpoint.safetensors", *images, "--saliency", folder)
    assert code == 0, errors
    assert output == command(predict.main, finished / "checkpoint.safetensors", *images)[1]
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert written == ["b/one.png.saliency.png", "one.pgm.saliency.png", "one.png.saliency.png"]


def test_the_pictures_show_the_gradient_of_the_answer_and_the_heat_map(decomposed, drawn, tmp_path, command):
    image = first(drawn, "cancer")
    code, _, errors = command(predict.main, decomposed / "checkpoint.safetensors", image, "--saliency", tmp_path,
                              "--overlay", tmp_path, "--json", tmp_path / "p.json")
    assert code == 0, errors
    row, = json.loads((tmp_path / "p.json").read_text())["images"]
    title = f"{image.name}: " + ", ".join(f"{name} {value:.2f}" for name, value in row["probabilities"].items())
    classifier = load_classifier(decomposed / "checkpoint.safetensors", "cpu")
    x = classifier.input(classifier.prepare(image))
    gradient = saliency(classifier.network, x, [list(row["probabilities"]).index(row["prediction"])])[0]
    assert (tmp_path / f"{image.name}.saliency.png").read_bytes() == saliency_figure(
        x[0, ..., 0], gradient, row["prediction"], title)
    assert (tmp_path / f"{image.name}.overlay.png").read_bytes() == overlay_figure(x[0, ..., 0], x[0, ..., 1], title)


def test_a_wrong_call_for_pictures_has_exit_code_2_and_writes_nothing(finished, retrained, drawn, tmp_path, command):
    image = first(drawn, "cancer")
    for run in (finished, retrained):
        code, output, errors = command(predict.main, run / "checkpoint.safetensors", image, "--overlay",
                                       tmp_path / "new")
        assert (code, output) == (2, "") and "has no ROI detectors" in errors and "decomposition.py" in errors
    code, _, errors = command(predict.main, finished / "checkpoint.safetensors", image, "--saliency", image)
    assert code == 2 and f"{image}: is not a folder" in errors
    assert not (tmp_path / "new").exists()


def test_a_decomposition_without_its_detectors_or_with_others_is_refused(decomposed, drawn, tmp_path, command):
    moved = shutil.copytree(decomposed, tmp_path / "run")
    call = (predict.main, moved / "checkpoint.safetensors", first(drawn, "cancer"))
    shutil.copy(moved / "detectors" / "P0.safetensors", moved / "detectors" / "P1.safetensors")
    code, _, errors = command(*call)
    assert code == 1 and "does not hold the detectors" in errors
    (moved / "detectors" / "P1.safetensors").unlink()
    code, _, errors = command(*call)
    assert code == 2 and "P1.safetensors" in errors
    alone = tmp_path / "alone" / "checkpoint.safetensors"
    alone.parent.mkdir()
    shutil.copy(moved / "checkpoint.safetensors", alone)
    code, _, errors = command(predict.main, alone, first(drawn, "cancer"))
    assert code == 2 and str(alone.parent) in errors and "Traceback" not in errors
