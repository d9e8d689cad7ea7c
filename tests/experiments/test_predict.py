"""predict.py: the probabilities that the run itself had, pictures for each image, clear messages."""
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.checkpoint import load_checkpoint
from experiments import predict, retraining
from experiments.classifiers import trained as trained_classifier
from experiments.classifiers.trained import load_classifier
from experiments.detectors.kept import kept_detectors
from experiments.evaluation.predictions import read_predictions
from experiments.prediction import answers
from experiments.prediction.output import Pictures
from experiments.reporting.figures import overlay_figure, saliency_figure
from experiments.system.errors import Failure, UsageError
from models.saliency import saliency


def loaded(run):
    path = run / "checkpoint.safetensors"
    return load_classifier(path, "cpu", load_checkpoint(path))


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
    lines = output.splitlines()
    assert code == 0 and len(lines) == 6 and lines[-3].split() == ["image", "cancer", "normal", "benign", "prediction"]
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
    made, again = (loaded(run) for run in (decomposed, retrained))
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
    assert code == 2 and "is a ROI detector" in errors and "--masks DIR" in errors
    with pytest.raises(UsageError, match=f"{path} is no checkpoint of experiments/end2end.py.* of a detector"):
        load_classifier(path, "cpu", load_checkpoint(path))


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
    classifier = loaded(decomposed)
    note = "\n".join(classifier.provenance.sentences)
    x = classifier.input(classifier.prepare(image))
    gradient = saliency(classifier.network, x, [list(row["probabilities"]).index(row["prediction"])])[0]
    assert (tmp_path / f"{image.name}.saliency.png").read_bytes() == saliency_figure(
        x[0, ..., 0], gradient, row["prediction"], title, note)
    assert (tmp_path / f"{image.name}.overlay.png").read_bytes() == overlay_figure(
        x[0, ..., 0], x[0, ..., 1], title, note)


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


def test_what_the_network_was_trained_on_stands_in_table_and_json(finished, drawn, tmp_path, command):
    _, output, _ = command(predict.main, finished, first(drawn, "cancer"), "--json", tmp_path / "p.json")
    trained, warning, caution = output.splitlines()[:3]
    started = json.loads((finished / "config.json").read_text())["started"]
    assert trained == ("Trained on: synthetic, 24 images of 12 patients (8 cancer, 8 normal, 8 benign); 60 steps, "
                       f"preset quick, begun on {started[:10]}.")
    assert "trained on drawings, not on mammograms" in warning and caution.endswith("not for diagnosis.")
    written = json.loads((tmp_path / "p.json").read_text())
    assert written["notes"] == [trained, warning, caution]
    assert written["trained_on"] == {
        "data": "synthetic", "drawn": True, "images": {"cancer": 8, "normal": 8, "benign": 8}, "patients": 12,
        "detector": None, "preset": "quick", "steps": 60, "started": started[:10],
        "svm": False}


def test_the_checkpoint_says_it_without_its_folder_but_for_the_day(finished, drawn, tmp_path, command):
    alone = shutil.copy(finished / "checkpoint.safetensors", tmp_path / "network.safetensors")
    (tmp_path / "config.json").write_text('{"configuration": {"preset": "thesis"}, "started": "1999-01-01T00:00:00"}')
    output = command(predict.main, alone, first(drawn, "cancer"))[1].splitlines()
    assert output[0].startswith("Trained on: synthetic, 24 images") and output[0].endswith("preset quick.")
    assert "WARNING" in output[1]


class Broken(Exception):
    """What no one foresaw."""


@pytest.mark.parametrize("error", [ValueError("RGBA values"), MemoryError(), OSError(36, "File name too long"),
                                   Broken("of a library"), RecursionError("too deep"), Failure("of ours")])
@pytest.mark.parametrize("place", ["saliency_figure", "load_image", "write"])
def test_whatever_is_wrong_with_one_image_the_others_are_answered(error, place, finished, drawn, tmp_path, command,
                                                                  monkeypatch):
    """The second of three images fails: in reading, in drawing, in writing its picture."""
    images = [first(drawn, label) for label in ("cancer", "normal", "benign")]
    calls = []

    def fail_second(function):
        def called(*arguments):
            calls.append(arguments)
            if len(calls) == 2:
                raise error
            return function(*arguments)
        return called

    if place == "saliency_figure":
        monkeypatch.setattr(answers, place, fail_second(answers.saliency_figure))
    elif place == "write":
        monkeypatch.setattr(Pictures, place, fail_second(Pictures.write))
    else:
        monkeypatch.setattr(trained_classifier, "read_image", fail_second(trained_classifier.read_image))
    code, output, errors = command(predict.main, finished, *images, "--saliency", tmp_path / "pictures", "--json",
                                   tmp_path / "p.json")
    assert code == 1 and "Traceback" not in errors and "1 of 3 images" in errors and len(calls) == 3
    written = json.loads((tmp_path / "p.json").read_text())
    answered = images if place != "load_image" else [images[0], images[2]]
    assert [row["image"] for row in written["images"]] == list(map(str, answered))
    assert [line.split()[0] for line in output.splitlines()[4:]] == list(map(str, answered))
    assert [row["image"] for row in written["failed"]] == [str(images[1])]
    assert sorted(path.name for path in (tmp_path / "pictures").rglob("*.png")) == sorted(
        f"{image.name}.saliency.png" for image in (images[0], images[2]))


def test_table_and_json_are_written_as_it_goes(finished, drawn, tmp_path, command, monkeypatch):
    images = [first(drawn, label) for label in ("cancer", "normal", "benign")]
    seen, read = [], trained_classifier.read_image

    def look(path, max_pixels):
        rows = json.loads((tmp_path / "p.json").read_text())["images"]
        seen.append((len(sys.stdout.getvalue().splitlines()), len(rows)))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return read(path, max_pixels)

    monkeypatch.setattr(trained_classifier, "read_image", look)
    code, _, _ = command(predict.main, finished, *images, "--json", tmp_path / "p.json")
    assert code == 130 and seen == [(0, 0), (5, 1), (6, 2)]
    assert len(json.loads((tmp_path / "p.json").read_text())["images"]) == 2


def test_a_place_for_the_json_that_cannot_be_is_known_before_any_image(finished, drawn, tmp_path, command):
    path = tmp_path / "file" / "p.json"
    path.parent.write_text("")
    code, output, errors = command(predict.main, finished, first(drawn, "cancer"), "--json", path)
    assert (code, output) == (1, "") and "Cannot write" in errors


def test_names_that_are_no_text_stand_in_table_json_and_pictures(finished, drawn, tmp_path, command):
    names = [b"a\xff$x$.png", "ü$\\frac{.png".encode(), b"l" * 240 + b".png"]
    images = [Path(os.fsdecode(bytes(tmp_path) + b"/" + name)) for name in names]
    for image in images:
        shutil.copy(first(drawn, "cancer"), image)
    code, output, errors = command(predict.main, finished, *images, "--json", tmp_path / "p.json", "--saliency",
                                   tmp_path / "pictures")
    assert code == 0, errors
    rows = json.loads((tmp_path / "p.json").read_bytes().decode("utf-8"))["images"]
    assert [row["image"] for row in rows] == [f"{tmp_path}/a\\xff$x$.png", f"{tmp_path}/ü$\\frac{{.png", str(images[2])]
    assert len(list((tmp_path / "pictures").iterdir())) == 3 and f"{tmp_path}/a\\xff$x$.png" in output


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_pictures_that_may_not_be_written_lose_no_answers(finished, drawn, tmp_path, command):
    (tmp_path / "pictures").mkdir(mode=0o500)
    code, output, errors = command(predict.main, finished, first(drawn, "cancer"), "--saliency", tmp_path / "pictures")
    assert code == 1 and len(output.splitlines()) == 5 and "permission" in errors


def test_a_run_s_folder_a_folder_of_images_and_a_pattern(finished, drawn, command):
    files = sorted((drawn / "images").iterdir())
    whole = command(predict.main, finished / "checkpoint.safetensors", *files)
    assert whole[0] == 0 and len(whole[1].splitlines()) == 4 + len(files)
    assert command(predict.main, finished, drawn / "images") == whole
    assert command(predict.main, finished, f"{drawn}/im*s/**/*.png") == whole


def test_a_folder_of_several_trainings_or_none_is_a_wrong_call_that_says_what_there_is(detectors, drawn, command):
    code, _, errors = command(predict.main, detectors, drawn / "images")
    assert code == 2 and f"Name one of them: {detectors / 'P0-dice'}" in errors and "10 trainings" in errors
    code, _, errors = command(predict.main, drawn, drawn / "images")
    assert code == 2 and f"{drawn}: is the folder of no run" in errors
