"""The decomposition: what its run leaves, the same bits however it came about, no detector that saw a test image."""
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from engine.checkpoint import load_checkpoint, save_checkpoint
from experiments import decomposition, roi_detection
from experiments.classifiers import network as classifier
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.datasets import CLASSES
from experiments.detectors import network as detector
from experiments.detectors.finished import finished_checkpoints
from experiments.detectors.kept import kept_detectors
from experiments.runs import fitting
from experiments.runs.folder import RunFolder
from experiments.runs.record import DetectorsOrigin

REPEATED = ("checkpoint.safetensors", "metrics.jsonl", "histograms.jsonl", "results.json", "tables.md",
            "predictions.csv", "figures/roc.png", "figures/loss.png", "figures/samples.png", "figures/layers.png",
            "figures/calibration.png",
            *(f"detectors/P{number}.safetensors" for number in range(5)))


def same_bits(one, other):
    return [name for name in REPEATED if (one / name).read_bytes() != (other / name).read_bytes()] == []


@pytest.fixture
def flags(drawn, tmp_path, tiny_flags, detectors, finished):
    return (*tiny_flags(drawn, tmp_path / "run"), "--detectors", detectors, "--end2end", finished)


def test_the_run_folder_explains_itself(decomposed, detectors, finished):
    config = json.loads((decomposed / "config.json").read_text())
    assert config["experiment"] == "decomposition" and config["end2end"] == str(finished)
    assert config["detectors"] == {"run": str(detectors), "loss": "dice", "threshold": 0.5,
                                   "digest": kept_detectors(decomposed, 0.5).digest}
    assert config["configuration"]["loss"] == "dice" and config["configuration"]["width"] == 0.05
    tables, page = (decomposed / "tables.md").read_text(), (decomposed / "report.html").read_text()
    assert "Table 4.6" in tables and "Table 4.7" in tables and "Table 4.2" not in tables
    assert "Figure 4.5" in page and "Figure 4.6" in page and "Figure 4.1" not in page
    assert json.loads((decomposed / "results.json").read_text())["test"]["images"] == 6


def test_tensorboard_is_shown_samples_with_both_channels(decomposed, events):
    found = events(decomposed)
    assert [event.step for event in found.Scalars("test/accuracy")] == [20, 40, 60]
    images = found.Images("samples")
    assert [event.step for event in images] == [20, 40, 60]
    assert (images[0].height, images[0].width) == (3 * 132 - 4, 6 * 132 - 4)  # mammogram, heat map, saliency of six
    assert [event.step for event in found.Histograms("gradients/stage_1.conv_a.W")] == [1, 2, 5, 10, 20, 50]


def test_the_classifier_has_two_channels_and_uses_the_second(decomposed, finished):
    before = classifier.build(recorded_configuration(
        DecompositionConfiguration, RunFolder(decomposed).record().configuration, decomposed)).parameters()
    first = next(iter(before))
    kernels, alone = (load_checkpoint(run / "checkpoint.safetensors").part("parameters")[first]
                      for run in (decomposed, finished))
    assert kernels.shape == (3, 3, 2, alone.shape[-1]) and alone.shape[2] == 1
    assert (kernels[:, :, 1] != before[first][:, :, 1]).any()


def test_the_folder_keeps_its_detectors_without_their_optimizer(decomposed, detectors):
    kept = kept_detectors(decomposed, 0.5).networks
    own, other = (finished_checkpoints(RunFolder(detectors), loss).values() for loss in ("dice", "ss"))
    for network, same, different in zip(kept, own, other, strict=True):
        values, equal, unequal = network.parameters(), same.part("parameters"), different.part("parameters")
        assert all(np.array_equal(values[path], equal[path]) for path in values)
        assert not all(np.array_equal(values[path], unequal[path]) for path in values)
    assert not any(name.startswith("optimizer") for name in load_checkpoint(
        decomposed / "detectors" / "P0.safetensors").arrays)


def test_with_the_detectors_of_a_real_run(drawn, flags, tmp_path, command):
    roi = tmp_path / "roi"
    code, _, errors = command(roi_detection.main, "--data", drawn, "--cache", tmp_path / "cache", "--output", roi,
                              "--side", 32, "--working-side", 64, "--channels", 2, "--depth", 2, "--batch", 2,
                              "--steps", 4, "--workers", 1)
    assert code == 0, errors
    code, _, errors = command(decomposition.main, *flags, "--detectors", roi, "--steps", 4)
    assert code == 0, errors
    own = finished_checkpoints(RunFolder(roi), "dice").values()
    for checkpoint, kept in zip(own, kept_detectors(tmp_path / "run", 0.5).networks, strict=True):
        state = checkpoint.part("parameters") | checkpoint.part("moving_averages")
        same = kept.parameters() | kept.moving_averages()
        assert state.keys() == same.keys() and all(np.array_equal(state[path], same[path]) for path in state)


def test_stopped_and_resumed_it_ends_with_the_same_bits_without_the_detectors_run(
        decomposed, detectors, finished, flags, tmp_path, command, monkeypatch):
    moved = shutil.copytree(detectors, tmp_path / "roi")
    flags = tuple(moved if flag == detectors else flag for flag in flags)
    save = fitting.save_checkpoint

    def stop(path, network, optimizer, step, *more):
        if step == 22:
            raise KeyboardInterrupt
        save(path, network, optimizer, step, *more)

    monkeypatch.setattr(fitting, "save_checkpoint", stop)
    assert command(decomposition.main, *flags)[0] == 130
    monkeypatch.undo()
    shutil.rmtree(moved)
    code, _, errors = command(decomposition.main, "--resume", "--output", tmp_path / "run", "--cache",
                              tmp_path / "another")
    assert code == 0, errors
    assert same_bits(decomposed, tmp_path / "run")


@pytest.mark.parametrize("flag", [("--loss", "ss"), ("--threshold", 0.49)])
def test_loss_and_threshold_reach_the_training(flag, flags, decomposed, tmp_path, command):
    trained = []
    for name, more in (("plain", ()), ("changed", flag)):
        code, _, errors = command(decomposition.main, *flags, "--output", tmp_path / name, "--steps", 3, *more)
        assert code == 0, errors
        trained.append(load_checkpoint(tmp_path / name / "checkpoint.safetensors").part("parameters"))
    assert not all(np.array_equal(trained[0][path], trained[1][path]) for path in trained[0])


def changed(run, to, change):
    """A copy of a run's folder, and its config.json changed by `change(record)`."""
    copy = shutil.copytree(run, to)
    record = json.loads((copy / "config.json").read_text())
    change(record)
    (copy / "config.json").write_text(json.dumps(record))
    return copy


@pytest.mark.parametrize(("change", "message"), [
    (lambda record: record["configuration"].update(seed=1), "--seed 1"),
    (lambda record: record["configuration"].update(validation=0.2), "--validation 0.2"),
    (lambda record: record["data"].update(fingerprint="0" * 64), "fingerprint 000000000000")])
@pytest.mark.parametrize("which", ["--detectors", "--end2end"])
def test_runs_that_may_have_trained_on_the_test_images_are_refused(
        change, message, which, flags, detectors, finished, tmp_path, command):
    other = changed({"--detectors": detectors, "--end2end": finished}[which], tmp_path / "other", change)
    code, _, errors = command(decomposition.main, *flags, which, other)
    assert code == 2 and message in errors and "may have been trained on" in errors, errors
    assert not (tmp_path / "run").exists()


def test_detectors_of_images_of_another_size_are_refused(flags, detectors, command):
    code, _, errors = command(decomposition.main, *flags, "--side", 64)
    assert code == 2 and "--side 32" in errors, errors


def no_run(run):
    shutil.rmtree(run)


def unfinished(run):
    (run / "results.json").unlink()


def another_experiment(run):
    (run / "config.json").write_text((run / "config.json").read_text().replace("roi_detection", "end2end"))


def no_checkpoint(run):
    (run / "P3-dice" / "checkpoint.safetensors").unlink()


def damaged_checkpoint(run):
    (run / "P3-dice" / "checkpoint.safetensors").write_bytes(b"nothing")


@pytest.mark.parametrize(("spoil", "message"), [
    (no_run, "there is no run"), (unfinished, "is not finished"), (another_experiment, "experiments/end2end.py"),
    (no_checkpoint, "P3-dice"), (damaged_checkpoint, "P3-dice")])
def test_a_folder_without_detectors(spoil, message, flags, detectors, tmp_path, command):
    run = shutil.copytree(detectors, tmp_path / "roi")
    spoil(run)
    code, _, errors = command(decomposition.main, *flags, "--detectors", run)
    assert code == 2 and str(run) in errors and message in errors and "Traceback" not in errors, errors


def test_without_a_run_of_roi_detection_it_says_which_command_comes_first(drawn, tmp_path, tiny_flags, command,
                                                                          monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, errors = command(decomposition.main, *tiny_flags(drawn, "run"), "--seed", 3)
    assert code == 2
    assert f"python experiments/roi_detection.py --data {drawn} --classes 3 --preset quick --seed 3" in errors, errors


def test_the_newest_runs_of_the_same_data_are_taken(drawn, detectors, finished, tmp_path, tiny_flags, command,
                                                    monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        shutil.copytree(detectors, tmp_path / "runs" / name)
        (tmp_path / "runs" / name / "results.json").write_text("{}")
    unfinished(shutil.copytree(detectors, tmp_path / "runs" / "unfinished"))
    changed(detectors, tmp_path / "runs" / "other", lambda record: record["configuration"].update(seed=1))
    shutil.copytree(finished, tmp_path / "runs" / "end2end")
    for name, content in (("damaged", "{"), ("incomplete", '{"experiment": "roi_detection"}')):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "config.json").write_text(content)
        (tmp_path / "runs" / name / "results.json").write_text("{}")
    code, _, errors = command(decomposition.main, *tiny_flags(drawn, tmp_path / "run"), "--steps", 2)
    assert code == 0, errors
    record = RunFolder(tmp_path / "run").record()
    assert record.detectors.run == str(tmp_path / "runs" / "second")
    assert record.end2end == str(tmp_path / "runs" / "end2end")


def test_resuming_with_other_detectors(decomposed, flags, detectors, tmp_path, command):
    run, roi = shutil.copytree(decomposed, tmp_path / "run"), shutil.copytree(detectors, tmp_path / "roi")
    code, _, errors = command(decomposition.main, *flags, "--resume", "--detectors", roi)
    assert code == 2 and str(detectors) in errors
    settings = load_checkpoint(run / "detectors" / "P1.safetensors").configuration
    configuration = recorded_configuration(DetectorConfiguration, settings, run)
    save_checkpoint(run / "detectors" / "P1.safetensors", detector.build(configuration), None, 0, settings)
    code, _, errors = command(decomposition.main, *flags, "--resume")
    assert code == 1 and "does not hold the detectors" in errors, errors
    (run / "detectors" / "P1.safetensors").unlink()
    code, _, errors = command(decomposition.main, *flags, "--resume")
    assert code == 2 and "P1.safetensors" in errors, errors


@pytest.mark.parametrize(("more", "message"), [
    (("--threshold", 1), "--threshold 1.0"), (("--threshold", -0.1), "--threshold -0.1"),
    (("--loss", "jaccard"), "invalid choice"), (("--side", 40), "a multiple of 32"), (("--batch", 100), "24 images")])
def test_a_wrong_call_has_exit_code_2(more, message, flags, command):
    code, _, errors = command(decomposition.main, *flags, *more)
    assert code == 2 and message in errors, errors


def test_what_only_the_heat_map_says_is_learned(tmp_path, command, tiny_flags, detectors, monkeypatch):
    """Images of noise, and heat maps that count up to the class: nothing else explains an accuracy above chance."""
    generator, data = np.random.default_rng(0), tmp_path / "data"
    rows = ["image,mask,label,patient"]
    data.mkdir()
    for index in range(60):
        Image.fromarray(generator.integers(1, 255, (64, 64), dtype=np.uint8)).save(data / f"{index}.png")
        rows.append(f"{index}.png,,{CLASSES[index % 3]},{index}")
    (data / "labels.csv").write_text("\n".join(rows))
    monkeypatch.setattr(decomposition, "fixed_detectors", lambda *_: (None, DetectorsOrigin("", "dice", 0.5, "")))
    monkeypatch.setattr(decomposition, "heat_maps", lambda detectors, prepared, cache: np.broadcast_to(
        prepared.labels[:, None, None].astype(np.uint8), (len(prepared), 32, 32)))
    output = tmp_path / "out" / "run"
    code, _, errors = command(decomposition.main, *tiny_flags(data, output), "--width", 0.125, "--batch", 16,
                              "--steps", 70)
    assert code == 0, errors
    assert json.loads((output / "results.json").read_text())["test"]["plain_accuracy"] > 0.8
