"""How runs go on: trained on, with data that moved, never with what another run left or a person edited."""
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine.checkpoint import Checkpoint, load_checkpoint
from experiments import decomposition, end2end, predict, reproduce, retraining, roi_detection
from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.runs.folder import RunFolder
from experiments.runs.record import Changed
from experiments.runs.resuming import go_on
from experiments.system.lock import locked

FIRST = next(iter(build(ClassifierConfiguration(side=32, width=0.05)).parameters()))  # the path of a kernel
SAME = ("checkpoint.safetensors", "metrics.jsonl", "predictions.csv", "figures/loss.png")


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run, to go on with."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def resume(finished, tmp_path, command):
    """resume(*flags) -> (exit code, output, errors) of the run in tmp_path / "run"."""
    return lambda *flags: command(end2end.main, "--resume", "--output", tmp_path / "run", "--workers", 1, "--cache",
                                  finished.parent / "cache", *flags)


def edited(folder, change):
    record = json.loads((folder / "config.json").read_text())
    change(record)
    (folder / "config.json").write_text(json.dumps(record))


def test_a_finished_run_is_trained_on_and_is_none_until_that_is_done(copied, resume, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "write", stop)
    assert resume("--steps", 62)[0] == 130
    assert not (copied / "results.json").exists() and not (copied / "report.html").exists()
    monkeypatch.undo()
    code, _, errors = resume()
    assert code == 0, errors
    assert load_checkpoint(copied / "checkpoint.safetensors").step == 62 and (copied / "report.html").exists()
    lines = RunFolder(copied).history()
    assert [line.step for line in lines if line.evaluation is not None] == [20, 40, 60, 62]
    change, = RunFolder(copied).record().changes
    assert change.configuration == {"steps": Changed(60, 62)} and change.at and change.command


def test_epochs_train_on_too_and_a_run_is_never_shortened(copied, resume):
    for flags, message in ((("--steps", 50), "--steps 50: the run in .* has 60 steps; it can be trained on, and not"),
                           (("--learning-rate", 1), "learning_rate .*, the flag says 1.0"),
                           (("--steps-per-epoch", 7), "steps_per_epoch")):
        code, _, errors = resume(*flags)
        assert code == 2 and re.search(message, errors), errors
    code, _, errors = resume("--epochs", 20)
    assert code == 2 and "falls within its 9 epochs. Train on by --steps" in errors
    changed = {"steps_per_epoch": 32, "schedule": "exponential"}
    edited(copied, lambda record: record["configuration"].update(changed))
    checkpoint = load_checkpoint(copied / "checkpoint.safetensors")
    checkpoint.configuration.update(changed)
    checkpoint.write(copied / "checkpoint.safetensors")
    edited(copied, lambda record: record["configuration"].update(steps=60))
    assert resume("--epochs", 1)[0] == 2
    code, _, errors = resume("--epochs", 2)
    assert code == 0, errors
    assert load_checkpoint(copied / "checkpoint.safetensors").step == 64
    assert RunFolder(copied).record().configuration["steps"] is None


def test_a_run_whose_data_moved_goes_on_with_the_same_bits(copied, finished, data, resume, tmp_path):
    data = data.rename(tmp_path / "renamed")
    edited(copied, lambda record: record["configuration"].update(data=str(tmp_path / "before")))
    code, _, errors = resume()
    assert code == 2 and "there is no such folder" in errors
    code, _, errors = resume("--data", data)
    assert code == 0, errors
    table = copied / "predictions.csv"  # where nothing else says the source, it is the folder's name
    table.write_text(table.read_text().replace("renamed", "data"))
    assert [name for name in SAME if (copied / name).read_bytes() != (finished / name).read_bytes()] == []
    record = RunFolder(copied).record()
    assert record.configuration["data"] == str(data) and str(data.name) in (copied / "results.json").read_text()
    assert record.changes[0].configuration == {"data": Changed(str(tmp_path / "before"), str(data))}


def test_other_data_are_refused(copied, data, resume):
    row = (data / "labels.csv").read_text().splitlines()[1]
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 64), np.uint8)).save(data / row.split(",")[0])
    before = (copied / "config.json").read_bytes()
    code, _, errors = resume("--data", data)
    assert code == 1 and "another fingerprint" in errors and (copied / "config.json").read_bytes() == before


@pytest.mark.parametrize(("name", "value"), [
    ("seed", 1), ("learning_rate", 0.5), ("rotation", 6.0), ("training_seed", 3), ("checkpoint_every", 3)])
def test_an_edited_setting_is_refused_and_nothing_is_written(copied, resume, name, value):
    edited(copied, lambda record: record["configuration"].update({name: value}))
    kept = [path for path in copied.iterdir() if path.is_file() and path.name != "training_time.json"]
    before = {path: path.read_bytes() for path in kept}
    code, _, errors = resume()
    assert code == 1, errors
    assert re.search(rf"is the checkpoint of another training: its {name} is .*, that of the run {value}\.", errors)
    assert before == {path: path.read_bytes() for path in kept}


def of_other_data(checkpoint):
    checkpoint.trained_on["fingerprint"] = "0" * 64


def of_a_detector(checkpoint):
    checkpoint.trained_on.update(experiment="roi_detection", detector="P0-dice")


def of_a_decomposition(checkpoint):
    checkpoint.trained_on.update(experiment="decomposition", detectors="0" * 64)


def not_finite(checkpoint):
    checkpoint.arrays[f"parameters/{FIRST}"][0, 0, 0, 0] = np.nan


def one_dimensional(checkpoint):
    checkpoint.arrays[f"parameters/{FIRST}"] = np.zeros(3, np.float32)


def of_double_precision(checkpoint):
    checkpoint.arrays[f"parameters/{FIRST}"] = checkpoint.arrays[f"parameters/{FIRST}"].astype("float64")


def later(checkpoint):
    object.__setattr__(checkpoint, "step", 10**12)


def of_more_optimizer_steps(checkpoint):
    checkpoint.arrays["optimizer/steps"] = np.array(10**12)


FOREIGN = [(of_other_data, "its fingerprint is 000"), (of_a_detector, "its experiment is roi_detection"),
           (of_a_decomposition, "its experiment is decomposition"), (not_finite, "' holds num"),
           (one_dimensional, r"' is float32 \(3,\)"), (of_double_precision, "is float64"),
           (later, "has 1000000000000 steps behind it"), (of_more_optimizer_steps, "its optimizer 1000000000000")]


@pytest.mark.parametrize(("change", "message"), FOREIGN)
def test_a_foreign_checkpoint_is_refused_in_one_message(copied, resume, change, message):
    checkpoint = load_checkpoint(copied / "checkpoint.safetensors")
    change(checkpoint)
    checkpoint.write(copied / "checkpoint.safetensors")
    code, _, errors = resume()
    assert code == 1 and re.search(f"error: .*{message}", errors) and "Traceback" not in errors, errors


@pytest.mark.parametrize("change", [
    not_finite, one_dimensional, of_double_precision, lambda checkpoint: checkpoint.configuration.pop("side"),
    *(lambda checkpoint, changed=changed: checkpoint.configuration.update(changed)
      for changed in ({"side": 32 * 10**9}, {"width": 1e12}, {"width": 1e300}, {"side": "large"}, {"side": 33},
                      {"depth": 3}, {"kind": "detector"}, {"kind": "retraining"}, {"kind": "another"}, {"kind": 3})),
    lambda checkpoint: checkpoint.configuration.pop("kind"),
    lambda checkpoint: checkpoint.arrays.update({f"parameters/{FIRST}": np.zeros((3, 3, 7, 3), np.float32)})])
def test_nothing_is_predicted_with_such_a_checkpoint(copied, drawn, command, change):
    """One message each, and no memory for a network that the file does not hold."""
    path = copied / "checkpoint.safetensors"
    checkpoint = load_checkpoint(path)
    change(checkpoint)
    checkpoint.write(path)
    code, output, errors = command(predict.main, path, next((drawn / "images").iterdir()))
    assert code in (1, 2) and str(path) in errors and output == "" and "Traceback" not in errors, errors


def test_the_checkpoint_of_a_decomposition_with_other_detectors_is_refused(decomposed, drawn, tmp_path, command):
    run = shutil.copytree(decomposed, tmp_path / "run")
    path = run / "checkpoint.safetensors"
    checkpoint = load_checkpoint(path)
    checkpoint.trained_on["detectors"] = "0" * 64
    checkpoint.write(path)
    code, _, errors = command(predict.main, path, next((drawn / "images").iterdir()))
    assert code == 1 and "does not hold the detectors" in errors
    code, _, errors = command(decomposition.main, "--resume", "--output", run, "--cache", decomposed.parent / "cache")
    assert code == 1 and "its detectors is 000" in errors


@pytest.mark.parametrize("name", ["fingerprint", "detector"])
def test_detectors_of_another_training_are_not_taken(detectors, finished, drawn, tmp_path, command, tiny_flags, name):
    run = shutil.copytree(detectors, tmp_path / "roi")
    path = run / "P2-dice" / "checkpoint.safetensors"
    checkpoint = load_checkpoint(path)
    checkpoint.trained_on[name] = "another"
    checkpoint.write(path)
    code, _, errors = command(decomposition.main, *tiny_flags(drawn, tmp_path / "run"), "--detectors", run, "--cache",
                              finished.parent / "cache")
    assert code == 1 and f"its {name} is another" in errors and str(path) in errors
    assert not (tmp_path / "run").exists()


def test_a_decomposition_of_other_data_is_not_retrained(decomposed, tmp_path, command):
    run = shutil.copytree(decomposed, tmp_path / "decomposition")
    checkpoint = load_checkpoint(run / "checkpoint.safetensors")
    of_other_data(checkpoint)
    checkpoint.write(run / "checkpoint.safetensors")
    code, _, errors = command(retraining.main, "--decomposition", run, "--output", tmp_path / "run", "--cache",
                              decomposed.parent / "cache", "--workers", 1, "--steps", 2)
    assert code == 1 and "its fingerprint is 000" in errors


@pytest.mark.parametrize("main", [
    end2end.main, roi_detection.main, decomposition.main, retraining.main, reproduce.main])
@pytest.mark.parametrize("resumed", [False, True])
def test_a_folder_in_use_is_refused_by_every_command(main, resumed, decomposed, tmp_path, command):
    """Two new runs with one --output, and two that resume one: the second writes nothing."""
    output, flags = tmp_path / "run", ("--decomposition", decomposed) if main is retraining.main else ()
    if resumed:
        output.mkdir()
        name = main.__module__.rpartition(".")[2]
        (output / "config.json").write_text(json.dumps({"experiment": name, "configuration": {}}))
        flags += ("--resume",)
        if main is retraining.main:
            edited(output, lambda record: record.update(decomposition={"run": str(decomposed)}))
    before = [path.name for path in output.iterdir()] if resumed else []
    with locked(output):
        code, _, errors = command(main, "--output", output, *flags)
        assert code == 1 and re.search(r"the run in .* belongs to another command: process \d+ on", errors), errors
        assert sorted(path.name for path in output.iterdir()) == sorted([*before, "run.lock"])


@pytest.mark.parametrize("main", [end2end.main, roi_detection.main, decomposition.main, reproduce.main])
@pytest.mark.parametrize("flag", ["--output", "--data", "--normals", "--cache"])
def test_an_empty_name_is_a_wrong_call(main, flag, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, _, errors = command(main, flag, "")
    assert code == 2 and f"argument {flag}: '': expected the name of a folder" in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("main", [end2end.main, roi_detection.main, decomposition.main, reproduce.main])
def test_a_run_among_its_data_is_refused(main, data, tmp_path, command, monkeypatch):
    (tmp_path / "link").symlink_to(data)
    kept = sorted(data.rglob("*"))
    for output, how in ((data, "is the folder of --data"), (data / "new" / "run", "lies inside the folder of --data"),
                        (tmp_path, "contains the folder of --data"), (tmp_path / "link", "is the folder of --data")):
        code, _, errors = command(main, "--data", data, "--output", output)
        assert code == 2 and f"--output {output}: {how}" in errors, errors
    monkeypatch.chdir(data)
    code, _, errors = command(main, "--data", ".")
    assert code == 2 and "lies inside the folder of --data" in errors
    code, _, errors = command(main, "--data", tmp_path / "elsewhere", "--normals", data, "--output", data / "run")
    assert code == 2 and "lies inside the folder of --normals" in errors
    assert sorted(data.rglob("*")) == kept and not (data / "runs").exists()


def test_a_checkpoint_without_config_json_has_advice_that_helps(copied, drawn, resume, command, tiny_flags):
    (copied / "config.json").unlink()
    for code, _, errors in (resume(), command(end2end.main, *tiny_flags(drawn, copied))):
        assert code == 1 and "holds the checkpoint of a run and no config.json" in errors and "another folder" in errors
        assert "with --resume" not in errors


@pytest.mark.parametrize(("content", "message"), [
    (b"", "damaged"), (b"[1]", "damaged: Expected `object`"), (b"\xff\xfe", "damaged"),
    (b'{"experiment": "end2end"', "damaged"), (b"[" * 100000, "damaged"), (b'{"a": %s}' % (b"9" * 5000), "damaged"),
    (b"{}", "required field `experiment`"), (b'{"experiment": 3}', "Expected `str`, got `int` - at `$.experiment`"),
    (b'{"experiment": "end2end"}', "required field `configuration`"),
    (b'{"experiment": "end2end", "configuration": 3}', "Expected `object`, got `int` - at `$.configuration`")])
def test_a_damaged_config_json_is_named_in_one_message(copied, resume, content, message):
    (copied / "config.json").write_bytes(content)
    code, _, errors = resume()
    assert code == 1 and message in errors and str(copied / "config.json") in errors and "Traceback" not in errors


@pytest.mark.parametrize(("change", "message"), [
    (lambda record: record.pop("data"), "required field `data`"),
    (lambda record: record["data"].pop("fingerprint"), "required field `fingerprint` - at `$.data`"),
    (lambda record: record.update(data="x"), "Expected `object`, got `str` - at `$.data`"),
    (lambda record: record.pop("command"), "required field `command`"),
    (lambda record: record["configuration"].update(kind="detector"), "their kind is 'detector', expected is 'class"),
    (lambda record: record["configuration"].pop("kind"), "their kind is None"),
    (lambda record: record["configuration"].update(side=10**30), "--side: expected at most"),
    (lambda record: record["configuration"].update(width=10**400), "damaged"),
    (lambda record: record["configuration"].update(bias=float("nan")), "damaged"),
    (lambda record: record["configuration"].update(seed=True), "Expected `int`, got `bool` - at `$.seed`"),
    (lambda record: record["configuration"].update(steps="60"), "Expected `int | null`, got `str` - at `$.steps`"),
    (lambda record: record["configuration"].update(colour=1), "the unknown 'colour'"),
    (lambda record: record["configuration"].pop("seed"), "it lacks 'seed'")])
def test_missing_mistyped_and_unknown_entries_are_named(copied, resume, change, message):
    edited(copied, change)
    code, _, errors = resume()
    assert code == 1 and message in errors and str(copied / "config.json") in errors and "Traceback" not in errors


def test_a_checkpoint_that_is_a_folder(copied, resume):
    (copied / "checkpoint.safetensors").unlink()
    (copied / "checkpoint.safetensors").mkdir()
    code, _, errors = resume()
    assert code == 1 and "checkpoint.safetensors" in errors and "Is a directory" in errors


def test_a_run_in_the_folder_of_another_is_no_part_of_it(copied, finished):
    inner = shutil.copytree(finished, copied / "inner")
    folder = RunFolder(copied)
    recorded = recorded_configuration(ClassifierConfiguration, folder.record().configuration, "")
    go_on(folder, replace(recorded, steps=62), "")
    assert folder.record().configuration["steps"] == 62 and not (copied / "results.json").exists()
    for name in ("config.json", "results.json", "report.html"):
        assert (inner / name).read_bytes() == (finished / name).read_bytes()
