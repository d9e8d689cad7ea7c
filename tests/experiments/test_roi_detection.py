"""ROI detection as a whole: what a run leaves behind, and that it leaves the same bits however it came about."""
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import experiments
from engine.checkpoint import load_checkpoint, restore
from experiments import roi_detection
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.datasets import open_dataset, synthetic
from experiments.detectors import training as detector_training
from experiments.detectors.evolution import is_snapshot
from experiments.detectors.finished import finished_checkpoints
from experiments.detectors.network import build, masks, probabilities
from experiments.evaluation.froc import froc, image_marks
from experiments.evaluation.results import RoiResults
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.splitting import split
from experiments.runs.folder import RunFolder
from experiments.runs.record import Changed, PartRecord
from experiments.system.errors import UsageError
from experiments.system.records import read_record

ROOT = Path(experiments.__file__).parents[1]
DETECTORS = [f"P{number}-{loss}" for loss in ("dice", "ss") for number in range(5)]
MEASURES = {"loss", "accuracy", "precision", "recall", "overlap_accuracy"}
TINY = ("--side", "32", "--working-side", "64", "--channels", "2", "--depth", "2", "--batch", "4", "--steps", "12",
        "--evaluate-every", "5", "--checkpoint-every", "2")


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    """60 small mammograms, 40 of them with a lesion, in the folder format."""
    folder = tmp_path_factory.mktemp("lesions") / "data"
    synthetic.write(folder, seed=5, images=60, height=80)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def flags(lesions, cache):
    return lambda output: [str(flag) for flag in ("--data", lesions, "--cache", cache, "--output", output, *TINY)]


@pytest.fixture(scope="module")
def run(flags, tmp_path_factory, command):
    """The folder of a run that nothing interrupted, with one worker and --tensorboard."""
    output = tmp_path_factory.mktemp("roi") / "run"
    code, text, errors = command(roi_detection.main, *flags(output), "--workers", 1, "--tensorboard")
    assert code == 0, errors
    (output / "printed.txt").write_text(text + errors)
    return output


def loaded(run, loss):
    """The five networks that a run trained by that loss, and their configuration."""
    configuration = recorded_configuration(DetectorConfiguration, RunFolder(run).record().configuration, run)
    networks = []
    for checkpoint in finished_checkpoints(RunFolder(run), loss).values():
        networks.append(build(configuration))
        restore(checkpoint, networks[-1])
    return networks, configuration


def differing(one, other):
    """The files of two runs that are to be equal and are not."""
    names = ["results.json", "tables.md", "figures/roi_grid.png", "figures/borders.png", "figures/evolution-dice.png",
             "figures/froc.png"]
    names += [f"{detector}/{name}" for detector in DETECTORS for name in (
        "checkpoint.safetensors", "metrics.jsonl", "histograms.jsonl", "results.json", "evolution.npz")]
    return [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()]


def test_the_report_of_real_data_tables_class_by_source_and_what_borders_give_away(run):
    found = json.loads((run / "results.json").read_text())["confounders"]
    assert list(found["sources"].values()) == [{"cancer": 20, "normal": 20, "benign": 20}]
    assert 0 <= found["classifier"]["balanced_accuracy"]["value"] <= 1
    for name in ("report.html", "tables.md"):
        assert "Images by source (digitizer or collection) and class" in (run / name).read_text()


def test_the_run_folder_explains_itself(run, lesions):
    config = json.loads((run / "config.json").read_text())
    assert config["experiment"] == "roi_detection" and config["configuration"]["data"] == str(lesions.resolve())
    assert len(config["groups"]["bounds"]) == 4 and len(config["data"]["fingerprint"]) == 64
    images = sum(config["data"]["train"].values()), sum(config["data"]["test"].values())
    normal = config["data"]["train"]["normal"], config["data"]["test"]["normal"]
    assert sum(config["groups"]["train"].values()) == images[0] - normal[0]
    assert sum(config["groups"]["test"].values()) == images[1] - normal[1]
    assert sorted(path.name for path in run.iterdir() if path.is_dir()) == sorted([*DETECTORS, "figures"])
    assert not list(run.rglob("*.partial")) and not (run / "owner").exists()


def test_the_split_is_that_of_the_classifiers(run, lesions, cache):
    """Otherwise the detectors would have learned from the test images of the decomposition."""
    configuration = json.loads((run / "config.json").read_text())["configuration"]
    preprocessing = Preprocessing(*(configuration[name] for name in ("side", "working_side", "clip_limit")))
    prepared = prepare(open_dataset(lesions, 0).mammograms, preprocessing, cache)
    _, test = split(prepared.labels, prepared.patients, configuration["seed"])
    with np.load(run / "P2-ss" / "evolution.npz") as evolution:
        shown = [index for index in range(len(prepared)) if np.array_equal(prepared.images([index])[0, ..., 0],
                                                                           evolution["image"])]
    assert len(shown) == 1 and shown[0] in test


@pytest.mark.parametrize("name", ["P0-dice", "P4-ss"])
def test_a_detector_logs_what_figure_4_3_shows(run, name):
    lines = [json.loads(line) for line in (run / name / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 10]
    evaluations = {line["step"]: line["evaluation"] for line in lines if "evaluation" in line}
    assert list(evaluations) == [5, 10, 12]
    assert all(set(evaluation[split]) == MEASURES for evaluation in evaluations.values() for split in ("train", "test"))


@pytest.mark.parametrize("name", ["P0-dice", "P4-ss"])
def test_tensorboard_is_shown_every_detector(run, name, events):
    found = events(run / name)
    assert [event.step for event in found.Scalars("training/loss")] == [1, 10]
    assert [event.step for event in found.Scalars("train/overlap_accuracy")] == [5, 10, 12]
    assert [(event.step, event.height) for event in found.Images("samples")] == [
        (step, 2 * 132 - 4) for step in (5, 10, 12)]
    assert [event.step for event in found.Histograms("activations/logits")] == [1, 2, 5, 10]


def test_the_evolution_of_one_test_image_is_kept(run):
    with np.load(run / "P1-dice" / "evolution.npz") as evolution:
        assert evolution["steps"].tolist() == [1, 2, 5, 10, 12]
        assert evolution["probabilities"].shape == (5, 32, 32) and evolution["probabilities"].dtype == np.float16
        assert evolution["image"].dtype == np.float32 and evolution["mask"].dtype == bool and evolution["mask"].any()


def test_results_are_those_of_the_networks_on_disk(run, lesions, cache):
    """Recomputed here from the checkpoints by (4.1) and the definitions of accuracy, precision and recall."""
    results = json.loads((run / "results.json").read_text())
    config = json.loads((run / "config.json").read_text())
    networks, configuration = loaded(run, "ss")
    prepared = prepare(open_dataset(lesions, 0).mammograms, Preprocessing(32, 64, configuration.clip_limit), cache)
    train, test = split(prepared.labels, prepared.patients, 0)
    sizes = prepared.masks(range(len(prepared))).sum((1, 2, 3))
    bounds = [0, *config["groups"]["bounds"], np.inf]
    for number, network in enumerate(networks):
        for split_name, indices in (("train", train), ("test", test)):
            own = indices[(sizes[indices] > bounds[number]) & (sizes[indices] <= bounds[number + 1])]
            for scope, chosen in (("group", own), ("complete", indices[sizes[indices] > 0])):
                stated = results["detectors"][f"P{number}-ss"][scope][split_name]
                if not len(chosen):
                    assert set(stated.values()) == {None}
                    continue
                predicted = masks(network, prepared.images(chosen), 0.5)
                mask = prepared.masks(chosen) > 0
                both = (predicted & mask).sum((1, 2, 3))
                smaller = np.minimum(predicted.sum((1, 2, 3)), mask.sum((1, 2, 3)))
                assert stated["accuracy"] == pytest.approx((predicted == mask).mean())
                assert stated["recall"] == pytest.approx(both.sum() / mask.sum())
                assert stated["precision"] == (pytest.approx(both.sum() / predicted.sum()) if predicted.any() else None)
                assert stated["overlap_accuracy"] == pytest.approx(np.mean(both / np.maximum(smaller, 1) >= 0.2))


def test_what_is_found_of_every_size_and_at_how_many_false_marks(run, lesions, cache):
    """Normal test images count, and abnormal ones have their lesions: by the networks on disk."""
    results = read_record(RoiResults, run / "results.json")
    networks, configuration = loaded(run, "dice")
    prepared = prepare(open_dataset(lesions, 0).mammograms, Preprocessing(32, 64, configuration.clip_limit), cache)
    _, test = split(prepared.labels, prepared.patients, 0)
    normal = prepared.labels[test] == prepared.classes.index("normal")
    assert normal.any()
    for number, network in enumerate(networks):
        found = results.detectors[f"P{number}-dice"]
        outputs, annotated = probabilities(network, prepared.images(test))[..., 0], prepared.masks(test)[..., 0] > 0
        marks = [image_marks(output, mask, 0.5) for output, mask in zip(outputs, annotated, strict=True)]
        assert found.froc == froc(marks, prepared.patients[test])
        assert found.froc.images == len(test) and found.froc.lesions == sum(len(each.lesions) for each in marks)
        assert {group: of.images for group, of in found.sizes.items()} == results.groups.test
        own = found.sizes[f"P{number}"]
        assert own.value == pytest.approx(found.group["test"]["overlap_accuracy"])
        assert own.ci is None or own.ci[0] <= own.value <= own.ci[1]
    assert "share of the lesions found" in (run / "tables.md").read_text()
    assert (run / "figures" / "froc.png").exists()


def test_the_report_needs_no_other_file_and_says_when_it_was_made(run, check_page):
    page = (run / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 7
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert "not for diagnosis" in page and "every pixel marked" in page
    started = json.loads((run / "config.json").read_text())["started"]
    assert re.search(rf"begun {started[:10]} {started[11:16]} · trained in \d", page)
    check_page(page)


def test_the_terminal_shows_data_duration_one_progress_display_and_the_result(run):
    printed = (run / "printed.txt").read_text()
    assert re.match(r"It takes about [\d.]+ [MG]B of memory at its peak.*\nThis run is expected about", printed)
    assert "\nTraining: 10 detectors, 12 steps of 4 images each" in printed
    assert re.findall(r"120 of 120 steps.*, 10 of 10 finished", printed) and printed.count("Training:") == 1
    assert "It took about" in printed
    times = json.loads((run / "config.json").read_text())["times"]
    assert set(times["took"]) == {"preparing", "training", "report"}
    assert set(times["expected"]) == {"preparing", "training", "evaluating", "report"}
    assert "Dice: overlap accuracy" in printed


def test_two_workers_of_which_one_is_killed_end_with_the_same_bits(run, flags, tmp_path, command):
    output, killed = tmp_path / "run", []

    def kill():
        while not killed:
            workers = [child for child in multiprocessing.active_children() if child.is_alive()]
            if workers and (output / "P1-dice" / "checkpoint.safetensors").exists():
                os.kill(workers[0].pid, signal.SIGKILL)
                killed.append(workers[0].pid)
            time.sleep(0.005)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    code, printed, errors = command(roi_detection.main, *flags(output), "--workers", 2)
    assert code == 0, errors
    killer.join(5)
    assert len(killed) == 1 and "is tried once more: its process was killed" in printed
    assert differing(run, output) == []


# for the command's processes: as soon as there is a checkpoint of P3-dice, no training makes a further step
HELD = """
import time
from pathlib import Path
from experiments.detectors import evolution
is_snapshot = evolution.is_snapshot
def held(step, total):
    while Path({!r}).exists():
        time.sleep(0.01)
    return is_snapshot(step, total)
evolution.is_snapshot = held
"""


def test_interrupted_on_a_cluster_killed_here_and_resumed_there_it_ends_the_same(run, flags, tmp_path, command,
                                                                                cluster, monkeypatch):
    """Trainings wait where they are to be stopped, so that neither signal can come too late."""
    output = tmp_path / "run"
    reached = {name: output / name / "checkpoint.safetensors" for name in ("P0-dice", "P3-dice")}
    (tmp_path / "sitecustomize.py").write_text(HELD.format(str(reached["P3-dice"])))

    def given_up(step, total):
        """On the cluster, which is in this process: a training goes on when the interrupted command left the run."""
        while process.poll() is None and reached["P0-dice"].exists() and (output / "owner").exists():
            time.sleep(0.01)
        return is_snapshot(step, total)

    for stop, code, name, how in ((signal.SIGINT, 130, "P0-dice", ("--scheduler", cluster)),
                                  (signal.SIGKILL, -signal.SIGKILL, "P3-dice", ("--workers", "2"))):
        with monkeypatch.context() as patch:
            patch.setattr(detector_training, "is_snapshot", given_up)
            process = subprocess.Popen(
                [sys.executable, ROOT / "experiments" / "roi_detection.py", *flags(output),
                 *(["--resume"] if output.exists() else []), *how],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])})
            try:
                while process.poll() is None and not reached[name].exists():
                    time.sleep(0.005)
                process.send_signal(stop)
                errors = process.communicate(timeout=300)[1].decode()
            finally:
                process.kill()
        assert process.returncode == code, errors
        assert "Traceback" not in errors
        assert not (output / "results.json").exists()
    finished = [name for name in DETECTORS if (output / name / "results.json").exists()]
    assert len(finished) < 8
    code, _, errors = command(roi_detection.main, *flags(output), "--resume", "--scheduler", cluster)
    assert code == 0, errors
    assert differing(run, output) == []


def test_one_that_fails_twice_ends_the_run_and_keeps_the_others(run, flags, tmp_path, command):
    """A checkpoint of another network in P2-ss: resuming names it; when it is gone, that training alone is made."""
    output = shutil.copytree(run, tmp_path / "run")
    for name in ("results.json", "P2-ss/results.json"):
        (output / name).unlink()
    (output / "P2-ss" / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    code, _, errors = command(roi_detection.main, *flags(output), "--resume", "--workers", 1)
    assert code == 1 and re.search(r"error: P2-ss failed twice: .*checkpoint\.safetensors: the file is not", errors)
    assert "--resume trains only what is missing" in errors and not (output / "results.json").exists()
    (output / "P2-ss" / "checkpoint.safetensors").unlink()
    before = {name: (output / name / "results.json").stat().st_mtime_ns for name in DETECTORS if name != "P2-ss"}
    assert command(roi_detection.main, *flags(output), "--resume", "--workers", 1)[0] == 0
    assert differing(run, output) == []
    assert before == {name: (output / name / "results.json").stat().st_mtime_ns for name in before}


def test_a_finished_run_is_trained_on_all_its_detectors(run, flags, tmp_path, command):
    output = shutil.copytree(run, tmp_path / "run")
    code, _, errors = command(roi_detection.main, *flags(output), "--resume", "--steps", 13, "--workers", 1)
    assert code == 0, errors
    whole = RunFolder(output).record()
    assert whole.configuration["steps"] == 13 and whole.changes[0].configuration["steps"] == Changed(12, 13)
    for name in DETECTORS:
        part = RunFolder(output / name)
        checkpoint = load_checkpoint(part.checkpoint)
        assert checkpoint.step == 13 and checkpoint.trained_on["detector"] == name
        assert checkpoint.configuration == part.record_as(PartRecord).configuration == whole.configuration
        assert (part.path / "results.json").read_bytes() != (run / name / "results.json").read_bytes()
    shutil.copy(output / "P0-dice" / "checkpoint.safetensors", output / "P1-dice" / "checkpoint.safetensors")
    (output / "P1-dice" / "results.json").unlink()
    code, _, errors = command(roi_detection.main, *flags(output), "--resume", "--steps", 13, "--workers", 1)
    assert code == 1 and "its detector is P0-dice, that of the run P1-dice" in errors


def test_the_detectors_of_a_run_are_loaded_by_their_loss(run, tmp_path, lesions):
    networks, configuration = loaded(run, "dice")
    assert len(networks) == 5 and isinstance(configuration, DetectorConfiguration) and configuration.side == 32
    weights = [network.parameters()["logits.W"] for network in networks]
    assert not any(np.array_equal(weights[0], other) for other in weights[1:])
    predicted = masks(networks[0], np.random.default_rng(0).random((3, 32, 32, 1), np.float32), 0.0)
    assert predicted.shape == (3, 32, 32, 1) and predicted.dtype == bool and predicted.all()
    with pytest.raises(UsageError, match="expected one of dice, ss"):
        finished_checkpoints(RunFolder(run), "iou")
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "P3-dice" / "checkpoint.safetensors").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"P3-dice/checkpoint\.safetensors is not the checkpoint of a detector"):
        finished_checkpoints(RunFolder(copy), "dice")


def test_a_batch_larger_than_a_size_group_is_trained_with_a_note(flags, tmp_path, command):
    code, printed, errors = command(roi_detection.main, *flags(tmp_path / "run"), "--workers", 1, "--batch", 9,
                                    "--steps", 1)
    assert code == 0, errors
    note = r"The smallest size group has \d training images, fewer than a batch of 9"
    assert re.search(note, printed) and re.search(note, (tmp_path / "run" / "tables.md").read_text())


@pytest.mark.parametrize(("given", "message"), [
    (("--channels", 0), "--channels 0: expected from 1 to 1024"),
    (("--side", 33), "--side 33: expected a multiple of 4, since --depth 2"),
    (("--workers", 0), "--workers 0: expected at least 1"),
    (("--data", "nowhere"), "there is no such folder"),
    (("--scheduler", "nonsense://x"), "no Dask scheduler answers there")])
def test_a_wrong_call_is_said_and_nothing_is_trained(flags, tmp_path, command, given, message):
    code, _, errors = command(roi_detection.main, *flags(tmp_path / "run"), *given)
    assert code == 2 and re.search(message, errors), errors
    assert not list(tmp_path.rglob("*.safetensors"))


def test_data_without_masks_are_a_failure_that_says_what_to_add(lesions, flags, tmp_path, command):
    data = shutil.copytree(lesions, tmp_path / "data")
    table = data / "labels.csv" if (data / "labels.csv").exists() else next(data.glob("*.csv"))
    rows = [row.split(",") for row in table.read_text().splitlines()]
    table.write_text("\n".join(",".join([row[0], "" if index else "mask", *row[2:]]) for index, row in enumerate(rows)))
    code, _, errors = command(roi_detection.main, *flags(tmp_path / "run"), "--data", data)
    assert code == 1 and "0 training images and 0 test images have an annotated lesion" in errors


def test_another_command_s_run_is_not_resumed(finished, flags, command):
    code, _, errors = command(roi_detection.main, *flags(finished), "--resume")
    assert code == 2 and "is one of experiments/end2end.py" in errors


def test_help_shows_examples_and_both_presets(command):
    code, output, _ = command(roi_detection.main, "--help")
    assert code == 0 and "python experiments/roi_detection.py --data DIR" in output and "Table 4.4" in output
    assert "--scheduler" in output and "not for diagnosis" in output
