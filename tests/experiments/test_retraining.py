"""The retraining: it goes on from the decomposition's bits, sees zeros, and ends alike when it was interrupted."""
import json
import shutil

import numpy as np
import pytest

from engine.checkpoint import Checkpoint, load_checkpoint
from experiments import retraining
from experiments.classifiers import network as classifier
from experiments.detectors.kept import kept_detectors
from experiments.runs import fitting, together
from experiments.runs.folder import RunFolder

REPEATED = ("checkpoint.safetensors", "metrics.jsonl", "histograms.jsonl", "results.json", "tables.md",
            "predictions.csv", "figures/roc.png", "figures/loss.png", "figures/samples.png", "figures/layers.png",
            "figures/calibration.png")
SMALL = ("--steps", 24, "--evaluate-every", 10)


@pytest.fixture(scope="module")
def retrained(decomposed, tmp_path_factory, command):
    folder = tmp_path_factory.mktemp("retrained")
    code, _, errors = command(retraining.main, *flags_of(decomposed, folder), "--tensorboard")
    assert code == 0, errors
    return folder / "run"


def flags_of(decomposed, folder):
    return ("--data", RunFolder(decomposed).record().configuration["data"], "--decomposition", decomposed,
            "--output", folder / "run", "--cache", folder / "cache", "--workers", 1, *SMALL)


@pytest.fixture
def flags(decomposed, tmp_path):
    return flags_of(decomposed, tmp_path)


def test_the_run_folder_explains_itself(retrained, decomposed, finished):
    config = json.loads((retrained / "config.json").read_text())
    assert config["experiment"] == "retraining" and config["decomposition"]["run"] == str(decomposed)
    assert config["decomposition"]["steps"] == 60 and config["end2end"] is None
    assert config["configuration"]["width"] == 0.05 and config["configuration"]["batch"] == 4
    lines = RunFolder(retrained).history()
    assert [line.step for line in lines if line.loss is not None] == [61, 70, 80]
    assert [line.step for line in lines if line.evaluation] == [70, 80, 84]
    assert load_checkpoint(retrained / "checkpoint.safetensors").step == 84
    page = (retrained / "report.html").read_text()
    assert "Figure 4.7" in page and "Table 4.6" not in page
    assert json.loads((retrained / "results.json").read_text())["test"]["images"] == 6


def test_tensorboard_is_shown_the_steps_behind_the_decompositions(retrained, events):
    found = events(retrained)
    assert [event.step for event in found.Scalars("training/loss")] == [61, 70, 80]
    assert [event.step for event in found.Histograms("activations/dense_c")] == [61, 62, 65, 70, 80]
    assert [event.step for event in found.Images("samples")] == [70, 80, 84]


def test_the_rate_starts_anew_at_half_in_the_quick_preset(retrained, decomposed):
    rates, before = ([line.learning_rate for line in RunFolder(run).history() if line.loss is not None]
                     for run in (retrained, decomposed))
    assert rates[:2] == pytest.approx([rate / 2 for rate in before[:2]])  # of the first and the tenth step


def test_the_first_step_sees_zeros_and_begins_with_the_decompositions_bits(decomposed, flags, command, monkeypatch):
    """Parameters, moving averages and Adam's memory, when the first batch is drawn."""
    seen = {}
    made = together.train

    def train(network, loss, optimizer, batches, schedule, seed, observer, ranks):
        state = {"parameters": network.parameters(), "moving_averages": network.moving_averages(),
                 "optimizer": optimizer.state()}
        seen["state"] = {f"{part}/{path}": np.array(array) for part, arrays in state.items()
                         for path, array in arrays.items()}
        for number, (x, y) in batches:
            seen.setdefault("first", (number, x))
            yield from made(network, loss, optimizer, [(number, (x, y))], schedule, seed, observer, ranks)

    monkeypatch.setattr(together, "train", train)
    assert command(retraining.main, *flags, "--steps", 2)[0] == 0
    number, x = seen["first"]
    assert number == 61 and x.shape == (4, 32, 32, 2)
    assert (x[..., 1] == 0).all() and (x[..., 0] > 0).any()
    before = load_checkpoint(decomposed / "checkpoint.safetensors").arrays
    assert seen["state"].keys() == before.keys()
    assert all(np.array_equal(seen["state"][name], before[name]) for name in before)
    assert before["optimizer/steps"] == 60


def test_evaluation_sees_zeros_too(decomposed, flags, command, monkeypatch):
    seen, predict = [], classifier.predict
    monkeypatch.setattr(classifier, "predict", lambda network, x: seen.append(x) or predict(network, x))
    assert command(retraining.main, *flags, "--steps", 2)[0] == 0
    assert seen and all(x.shape[-1] == 2 and (x[..., 1] == 0).all() and (x[..., 0] > 0).any() for x in seen)
    assert (kept_detectors(decomposed, 0.5).heat_map(seen[-1][..., :1]) > 0).any()  # else zeros would say nothing


def test_stopped_and_resumed_it_ends_with_the_same_bits(retrained, flags, tmp_path, command, monkeypatch):
    save = fitting.save_checkpoint

    def stop(path, network, optimizer, step, *more):
        if step == 76:
            raise KeyboardInterrupt
        save(path, network, optimizer, step, *more)

    monkeypatch.setattr(fitting, "save_checkpoint", stop)
    assert command(retraining.main, *flags)[0] == 130
    monkeypatch.undo()
    code, _, errors = command(retraining.main, "--resume", "--output", tmp_path / "run", "--cache", tmp_path / "cache")
    assert code == 0, errors
    assert [name for name in REPEATED
            if (retrained / name).read_bytes() != (tmp_path / "run" / name).read_bytes()] == []


def test_killed_before_the_checkpoint_was_copied_it_begins_with_it(retrained, flags, tmp_path, command, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "write", stop)
    assert command(retraining.main, *flags)[0] == 130
    monkeypatch.undo()
    assert command(retraining.main, *flags, "--resume")[0] == 0
    assert (retrained / "metrics.jsonl").read_bytes() == (tmp_path / "run" / "metrics.jsonl").read_bytes()


def test_as_many_steps_again_unless_flags_say_otherwise(decomposed, flags, tmp_path, command):
    without = flags[:-len(SMALL)]
    for name, more, steps in (("same", (), 60), ("epochs", ("--steps-per-epoch", 2, "--epochs", 3), 6)):
        assert command(retraining.main, *without, "--output", tmp_path / name, *more)[0] == 0
        assert load_checkpoint(tmp_path / name / "checkpoint.safetensors").step == 60 + steps


def test_the_newest_decomposition_of_the_same_data_and_the_end2end_run_are_found(
        drawn, decomposed, finished, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, errors = command(retraining.main, "--data", drawn, "--seed", 4)
    assert code == 2 and "experiments/decomposition.py" in errors and "seed 4" in errors, errors
    shutil.copytree(decomposed, tmp_path / "runs" / "one")
    shutil.copytree(finished, tmp_path / "runs" / "two")
    assert command(retraining.main, "--data", drawn, "--seed", 4)[0] == 2
    code, _, errors = command(retraining.main, "--data", drawn, "--steps", 2, "--output", "run", "--workers", 1)
    assert code == 0, errors
    record = RunFolder(tmp_path / "run").record()
    assert record.decomposition.run == str(tmp_path / "runs" / "one")
    assert record.end2end == str(tmp_path / "runs" / "two")


@pytest.mark.parametrize(("more", "message"), [
    (("--width", 0.1), "--width 0.1"), (("--seed", 1), "--seed 1"), (("--side", 64), "--side 64"),
    (("--preset", "thesis"), "--preset thesis"), (("--decomposition", "/nowhere"), "there is no run"),
    (("--learning-rate", -1), "--learning-rate -1")])
def test_a_wrong_call_has_exit_code_2(more, message, flags, tmp_path, command):
    code, _, errors = command(retraining.main, *flags, *more)
    assert code == 2 and message in errors and "Traceback" not in errors, errors
    assert not (tmp_path / "run").exists()


def test_an_end_to_end_run_is_no_decomposition(finished, flags, command):
    code, _, errors = command(retraining.main, *flags, "--decomposition", finished)
    assert code == 2 and "experiments/end2end.py" in errors


def test_a_decomposition_that_changed_meanwhile(retrained, decomposed, flags, tmp_path, command):
    shutil.copytree(retrained, tmp_path / "run")
    other = shutil.copytree(decomposed, tmp_path / "other")
    assert command(retraining.main, *flags, "--resume", "--decomposition", other)[0] == 0  # moved, but the same
    with open(other / "checkpoint.safetensors", "ab") as file:
        file.write(b" ")
    code, _, errors = command(retraining.main, *flags, "--resume", "--decomposition", other)
    assert code == 1 and "is not the checkpoint" in errors, errors
