"""The end-to-end experiment: what a run leaves behind, and that it leaves the same bits however it came about."""
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import experiments
from engine.checkpoint import load_checkpoint
from engine.combinators import SlicedStage
from engine.kernels.cpu.threads import use_threads
from experiments import end2end
from experiments.classifiers.network import build
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.datasets import CLASSES
from experiments.evaluation import evaluate
from experiments.evaluation.operating_point import operating_point, realised
from experiments.evaluation.predictions import read_predictions
from experiments.evaluation.results import ClassifierResults
from experiments.runs import fitting
from experiments.system.durations import in_words
from experiments.system.event_cutting import records
from experiments.system.files import plain
from experiments.system.records import read_record

ROOT = Path(experiments.__file__).parents[1]
REPEATED = ("checkpoint.safetensors", "metrics.jsonl", "histograms.jsonl", "predictions.csv", "results.json",
            "tables.md", "figures/roc.png", "figures/loss.png", "figures/samples.png", "figures/layers.png",
            "figures/calibration.png")


def same_bits(one, other):
    return [name for name in REPEATED if (one / name).read_bytes() != (other / name).read_bytes()] == []


def test_the_run_folder_explains_itself(finished, drawn):
    config = json.loads((finished / "config.json").read_text())
    assert config["configuration"]["width"] == 0.05 and config["configuration"]["data"] == str(drawn.resolve())
    assert {"numpy", "python"} <= config["versions"].keys() and len(config["data"]["fingerprint"]) == 64
    assert sum(config["data"]["train"].values()) + sum(config["data"]["test"].values()) == 30
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, *range(10, 61, 10)]
    assert [line["step"] for line in lines if "evaluation" in line] == [20, 40, 60]
    assert "Table 4.2" in (finished / "tables.md").read_text()


def test_results_have_the_promised_form(finished):
    results = json.loads((finished / "results.json").read_text())
    for split in ("train", "test"):
        for name in ("accuracy", "specificity", "precision", "recall", "auroc", "accuracy_ci", "auroc_ci"):
            assert list(results[split][name]) == [*CLASSES, "mean"]
        assert results[split]["counts"].keys() >= set(CLASSES)
        assert set(results[split]["guesser"]["accuracy"]) == {*CLASSES, "mean"}
        assert isinstance(results[split]["accuracy"]["mean"], float)


def test_the_predictions_file_holds_what_the_results_were_computed_of(finished):
    splits = read_predictions(finished / "predictions.csv")
    results = json.loads((finished / "results.json").read_text())
    for split, given in splits.items():
        again = evaluate(given.probabilities, given.labels, given.patients)
        assert plain(again) == results[split]
    assert set(splits) == {"train", "test"} and sum(map(len, splits.values())) == 30


def test_the_report_needs_no_other_file(finished):
    page = (finished / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert "not for diagnosis" in page


def test_an_operating_point_is_chosen_on_patients_who_were_held_out(drawn, tmp_path, command, tiny_flags):
    run = tmp_path / "run"
    code, output, errors = command(end2end.main, *tiny_flags(drawn, run), "--validation", "0.25", "--steps", "2")
    assert code == 0, errors
    data = json.loads((run / "config.json").read_text())["data"]
    splits = read_predictions(run / "predictions.csv")
    assert {name: len(given) for name, given in splits.items()} == {
        name: sum(data[name].values()) for name in ("test", "train", "validation")}
    assert sum(map(len, splits.values())) == 30 and "validation: " in output
    assert len(set(np.concatenate([np.unique(given.patients) for given in splits.values()]))) == 15
    assert sum(len(np.unique(given.patients)) for given in splits.values()) == 15
    results = read_record(ClassifierResults, run / "results.json")
    assert results.point == operating_point(splits["validation"])
    assert results.cancer.realised == realised(results.point, splits["test"])
    page = (run / "report.html").read_text()
    assert "Operating point: an output for cancer of" in page and "Held out of training" in page
    trained_on = load_checkpoint(run / "checkpoint.safetensors").trained_on
    assert trained_on["images"] == data["train"]  # and not the validation's


def test_without_it_there_is_no_point_and_the_report_says_how_to_get_one(finished):
    results = read_record(ClassifierResults, finished / "results.json")
    assert results.point is None and results.cancer.realised is None and results.cancer.partial_auroc is not None
    assert "--validation 0.15" in (finished / "report.html").read_text()


def test_same_seed_same_bits_on_one_thread(finished, drawn, tmp_path, command, tiny_flags):
    use_threads(1)
    try:
        assert command(end2end.main, *tiny_flags(drawn, tmp_path / "run"))[0] == 0
    finally:
        use_threads(2)
    assert same_bits(finished, tmp_path / "run")


def test_with_tensorboard_the_same_bits_and_a_file_of_events(finished, drawn, tmp_path, command, tiny_flags, events):
    """Also where the flag is not given when the run begins, and resumed with it."""
    flags, shown = tiny_flags(drawn, tmp_path / "run"), {}
    assert command(end2end.main, *flags, "--steps", 20)[0] == 0
    assert not list((tmp_path / "run").glob("*tfevents*"))
    for steps in (40, 60):
        assert command(end2end.main, *flags, "--resume", "--steps", steps, "--tensorboard")[0] == 0
        found = events(tmp_path / "run")
        shown[steps] = {tag: [event.step for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}
    assert same_bits(finished, tmp_path / "run")
    assert shown[60] == {
        "training/loss": [1, 10, 20, 30, 40, 50, 60], "training/learning_rate": [1, 10, 20, 30, 40, 50, 60],
        "test/accuracy": [20, 40, 60], "test/plain_accuracy": [20, 40, 60]}
    assert shown[40]["training/loss"] == [1, 10, 20, 30, 40]
    assert [event.step for event in found.Images("samples")] == [40, 60]
    assert {"parameters/stage_1.conv_a.W", "parameters/dense_c.b", "gradients/stage_5.norm.c1",
            "activations/dense_a"} <= set(found.Tags()["histograms"])
    assert [event.step for event in found.Histograms("activations/dense_a")] == [50]


def test_another_seed_gives_another_run(finished, drawn, tmp_path, command, tiny_flags):
    assert command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--seed", 1)[0] == 0
    assert not same_bits(finished, tmp_path / "run")


def test_recomputing_keeps_less_and_trains_the_same_network(drawn, tmp_path, command, tiny_flags):
    """Gradients are equal to rounding; the setting stays with the run, whose bits it decides."""
    arrays = []
    for name, more in (("kept", ()), ("recomputed", ("--recompute",))):
        code, _, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / name), "--steps", 2, *more)
        assert code == 0, errors
        checkpoint = load_checkpoint(tmp_path / name / "checkpoint.safetensors")
        assert checkpoint.configuration["recompute"] == bool(more)
        arrays.append(checkpoint.arrays)
    for path, array in arrays[0].items():
        if path.startswith("moving_averages"):  # Adam makes of a gradient near 0 a step of either sign
            np.testing.assert_allclose(arrays[1][path], array, rtol=1e-3, atol=1e-4, err_msg=path)
    assert [isinstance(build(ClassifierConfiguration(side=32, width=0.05, recompute=recompute))["stage_1"], SlicedStage)
            for recompute in (False, True)] == [False, True]
    kept = tiny_flags(drawn, tmp_path / "kept")
    code, _, errors = command(end2end.main, *kept, "--steps", 2, "--resume", "--recompute")
    assert code == 2 and "has recompute False, the flag says True" in errors


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments_and_resumed_it_ends_with_the_same_bits(finished, drawn, tmp_path, tiny_flags, seed):
    moments = random.Random(seed)
    output = tmp_path / "run"
    flags = [str(flag) for flag in (*tiny_flags(drawn, output), "--tensorboard")]
    killed = 0
    while killed < 4:
        resume = ["--resume"] if (output / "config.json").exists() else []
        process = subprocess.Popen([sys.executable, ROOT / "experiments" / "end2end.py", *flags, *resume],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        before = progress(output)
        while process.poll() is None and progress(output) == before:  # until this process has written something
            time.sleep(0.01)
        try:
            process.wait(timeout=moments.uniform(0, 0.6))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        errors = process.communicate()[1].decode()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors
    else:
        last = [sys.executable, ROOT / "experiments" / "end2end.py", *flags, "--resume"]
        subprocess.run(last, check=True, capture_output=True)
    assert killed >= 1
    assert same_bits(finished, output)
    steps = [step for _, step in records((output / "events.out.tfevents.run").read_bytes())]
    assert steps == [0, 1, 1, 2, 5, 10, 10, 20, 20, 20, 30, 40, 40, 50, 50, 60, 60]  # version, loss, layers, evaluation


def progress(output):
    """Changes as soon as a run has written to its folder."""
    return [(path.name, path.stat().st_mtime_ns) for path in (output / "config.json", output / "metrics.jsonl")
            if path.exists()]


def test_what_was_logged_after_the_last_checkpoint_is_not_logged_twice(finished, drawn, tmp_path, command, tiny_flags,
                                                                       monkeypatch):
    output = tmp_path / "run"
    flags = (*tiny_flags(drawn, output), "--checkpoint-every", 7)
    save = fitting.save_checkpoint

    def stop(path, network, optimizer, step, *more):
        if step == 21:  # 20 is logged, and evaluated, and 14 is the last checkpoint
            raise KeyboardInterrupt
        save(path, network, optimizer, step, *more)

    monkeypatch.setattr(fitting, "save_checkpoint", stop)
    assert command(end2end.main, *flags)[0] == 130
    assert '"step": 20' in (output / "metrics.jsonl").read_text()
    monkeypatch.undo()
    assert command(end2end.main, *flags, "--resume")[0] == 0
    assert [name for name in ("metrics.jsonl", "results.json")
            if (output / name).read_bytes() != (finished / name).read_bytes()] == []


@pytest.mark.parametrize("flag", [
    (), ("--rotation", 0), ("--keep-probability", 0.9), ("--learning-rate", 0.01), ("--schedule", "exponential"),
    ("--bias", 0.1), ("--statistics", "moving"), ("--clip-limit", 0.5), ("--working-side", 32), ("--batch", 5)])
def test_every_flag_reaches_the_training(flag, drawn, tmp_path, command, tiny_flags):
    trained = []
    for name, more in (("plain", ()), ("changed", flag)):
        flags = (*tiny_flags(drawn, tmp_path / name), "--steps", 3, "--steps-per-epoch", 2, *more)
        assert command(end2end.main, *flags)[0] == 0
        trained.append(load_checkpoint(tmp_path / name / "checkpoint.safetensors").part("parameters"))
    same = all(np.array_equal(trained[0][path], trained[1][path]) for path in trained[0])
    assert same == (flag == ())


def test_resuming_a_finished_run_writes_the_same_results_again(finished, drawn, tmp_path, command, tiny_flags):
    output = tmp_path / "run"
    subprocess.run(["cp", "-r", finished, output], check=True)
    (output / "results.json").unlink()
    assert command(end2end.main, *tiny_flags(drawn, output), "--resume")[0] == 0
    assert same_bits(finished, output)


def test_help_shows_examples_and_every_preset(command):
    code, output, _ = command(end2end.main, "--help")
    assert code == 0
    assert "python experiments/end2end.py --data DIR --preset thesis" in output
    assert "not for diagnosis" in output and "5e-05" in output


def test_the_expected_duration_is_stated_before_the_data_are_prepared_and_what_it_took_is_kept(
        drawn, tmp_path, command, tiny_flags):
    output = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"))[1]
    assert re.match(r"It takes about [\d.]+ [MG]B of memory at its peak.*\n"
                    r"This run is expected about [\d.]+ (seconds|minutes) in all on this machine", output)
    times = json.loads((tmp_path / "run" / "config.json").read_text())["times"]
    assert times["from_step"] == 0 and set(times["expected"]) == set(times["took"]) == {
        "preparing", "training", "evaluating", "report"}
    assert all(seconds > 0 for seconds in times["took"].values())


def test_a_side_of_256(drawn, tmp_path, command, tiny_flags):
    code, output, errors = command(end2end.main, *tiny_flags(drawn, tmp_path / "run"), "--side", 256, "--working-side",
                                   256, "--steps", 2)
    assert code == 0, errors
    network = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").part("parameters")
    assert network["dense_a.W"].shape[0] == 8 * 8 * 26 and "Test set:" in output


def test_reported_on_anew_and_quietly_a_finished_run_keeps_the_times_of_its_training(finished, tmp_path, command,
                                                                                    monkeypatch):
    monkeypatch.setattr("experiments.system.progress._Quiet.quiet", False)  # again when the test ends
    copy = shutil.copytree(finished, tmp_path / "run")
    before = json.loads((copy / "config.json").read_text())["times"]
    code, output, errors = command(end2end.main, "--resume", "--output", copy, "--cache", tmp_path / "cache",
                                   "--workers", 1, "--quiet")
    assert (code, errors) == (0, "") and [line.split(":")[0] for line in output.splitlines()] == ["Test set", "Report"]
    assert json.loads((copy / "config.json").read_text())["times"] == before


def test_durations_are_said_in_the_unit_that_a_person_would_use():
    assert in_words(50000 * 9.5) == "about 5.5 days"


def test_training_learns_to_tell_bright_from_dark(tmp_path, command, tiny_flags):
    """The whole pipeline on a task that no chance level explains: where the bright square is, is the class."""
    from PIL import Image
    generator, data = np.random.default_rng(0), tmp_path / "data"
    rows = ["image,mask,label,patient"]
    data.mkdir()
    for index in range(60):
        label = CLASSES[index % 3]
        image = generator.integers(0, 60, (64, 64), dtype=np.uint8)
        top = 4 + 20 * (index % 3)
        image[top:top + 12, 8:56] = 220
        Image.fromarray(image).save(data / f"{index}.png")
        rows.append(f"{index}.png,,{label},{index}")
    (data / "labels.csv").write_text("\n".join(rows))
    output = tmp_path / "out" / "run"
    code, _, errors = command(end2end.main, *tiny_flags(data, output), "--width", 0.125, "--batch", 16,
                              "--rotation", 0, "--steps", 120)
    assert code == 0, errors
    assert json.loads((output / "results.json").read_text())["test"]["plain_accuracy"] > 0.8
