"""The whole of chapter 4 in one command: in order, resumable anywhere, with every table and figure in its report."""
import json
import re
import shutil

import numpy as np
import pytest

from engine.checkpoint import load_checkpoint
from experiments import audit, reproduce
from experiments.datasets import synthetic
from experiments.evaluation.predictions import read_predictions
from experiments.evaluation.recovery import Audit
from experiments.evaluation.results import ClassifierResults, RoiResults
from experiments.reproduction.beginning import ReproductionRecord
from experiments.reproduction.report.results import ReproductionResults
from experiments.reproduction.statistics import SeedStatistics
from experiments.runs import fitting
from experiments.runs.folder import RunFolder
from experiments.system.records import read_record

TINY = ("--side", 32, "--working-side", 64, "--batch", 4, "--detector-batch", 4, "--steps", 60, "--width", 0.05,
        "--detector-steps", 12, "--channels", 2, "--depth", 2, "--retraining-steps", 12, "--workers", 1)
STAGES = ("end2end-seed0", "roi_detection", "decomposition-seed0", "retraining")
SHOWN = [f"Table 4.{number}" for number in range(1, 8)] + [f"Figure 4.{number}" for number in range(1, 8)] + [
    "Figure A.1", "Figure A.2"]


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    """60 small mammograms of 30 patients, 40 of them with a lesion, in the folder format."""
    folder = tmp_path_factory.mktemp("lesions") / "data"
    synthetic.write(folder, seed=5, images=60, height=80)
    return folder


@pytest.fixture(scope="module")
def flags(lesions, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return lambda output: ("--data", lesions, "--cache", cache, "--output", output, *TINY)


@pytest.fixture(scope="module")
def run(flags, tmp_path_factory, command):
    """The folder of a run that nothing interrupted, with --tensorboard."""
    output = tmp_path_factory.mktemp("reproduce") / "run"
    code, text, errors = command(reproduce.main, *flags(output), "--tensorboard")
    assert code == 0, errors
    (output / "printed.txt").write_text(text)
    return output


@pytest.fixture
def copied(run, tmp_path):
    """A copy whose runs know each other's new places, as if it had been made there."""
    output = shutil.copytree(run, tmp_path / "run")
    for path in output.glob("*/config.json"):
        path.write_text(path.read_text().replace(str(run), str(output)))
    return output


def repeated(folder):
    """The files that must not depend on how the run came about."""
    names = ["reproduce.json", "statistics.json", "figures/placeholder.png", "audit/audit.json"]
    names += [f"{stage}/{name}" for stage in STAGES if stage != "roi_detection"
              for name in ("checkpoint.safetensors", "metrics.jsonl", "results.json", "predictions.csv")]
    names += [f"roi_detection/{name}" for name in ("results.json", "P4-ss/checkpoint.safetensors")]
    return {name: (folder / name).read_bytes() for name in names}


def times(folder):
    return {path: path.stat().st_mtime_ns for stage in STAGES for path in (folder / stage).rglob("*") if path.is_file()}


def test_tensorboard_is_shown_every_training(run, events):
    for training in ("end2end-seed0", "decomposition-seed0", "retraining", "roi_detection/P0-dice",
                     "roi_detection/P4-ss"):
        assert events(run / training).Scalars("training/loss"), training
    assert len(list(run.rglob("*tfevents*"))) == 3 + 10


def test_the_report_has_every_table_and_figure_and_needs_no_other_file(run, check_page):
    page = (run / "report.html").read_text()
    contents, body = page.split("</nav>")
    for shown in SHOWN:
        place = re.search(rf'<a href="#([^"]+)">{re.escape(shown)}: ', contents)
        assert place and f'<section id="{place[1]}">' in body, shown
    check_page(page)
    assert re.search(r"begun \d{4}-\d\d-\d\d \d\d:\d\d · trained in \d+ (s|min)", page)
    assert len(re.findall('href="#', contents)) == len(set(re.findall('href="#([^"]+)"', contents)))
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert page.count("data:image/png;base64,") == 10  # 4.1 and 4.3 to 4.7, (4.2), A.1, and A.2 for either loss
    assert page.count("not for diagnosis") == 1 and "Not the thesis&#39;s data: “synthetic” instead of DDSM" in page
    assert "31,383,681" in body and "23,632,451" in body and "conv 3x3, 1536 -&gt; 512" in body
    assert "0.6937" in body and "0.3666" in body and "Erra" in body  # Tables 4.2 and 4.6 as printed; the audit


def test_reproduce_json_has_what_the_stages_found(run):
    found = read_record(ReproductionResults, run / "reproduce.json")
    results = {name: read_record(ClassifierResults, run / name / "results.json") for name in STAGES
               if name != "roi_detection"}
    classifiers = found.classifiers
    assert {**classifiers.end2end, **classifiers.decomposition, "retraining": classifiers.retraining} == results
    assert found.roi_detection == read_record(RoiResults, run / "roi_detection" / "results.json")
    assert found.audit == read_record(Audit, run / "audit" / "audit.json")
    assert classifiers.statistics == read_record(SeedStatistics, run / "statistics.json")
    assert classifiers.retraining.test.images == 12
    accuracies = [results[name].test.accuracy["mean"] for name in ("end2end-seed0", "decomposition-seed0")]
    assert classifiers.statistics.paired.accuracy["mean"].difference == pytest.approx(accuracies[0] - accuracies[1])
    lines = [line.loss for line in RunFolder(run / "retraining").history() if line.loss is not None]
    assert classifiers.loss["retrained with zeros"].first == lines[0]
    assert classifiers.loss["retrained with zeros"].last_tenth == lines[-1]
    assert found.thesis.hyper_parameters["4.4"]["Number of epochs"] == "20"


def test_the_stages_have_the_flags_and_build_on_each_other(run):
    records = {stage: RunFolder(run / stage).record() for stage in STAGES}
    assert {record.configuration["side"] for record in records.values()} == {32}
    assert [record.configuration["kind"] for record in records.values()] == [
        "classifier", "detector", "decomposition", "retraining"]
    assert len({record.data.fingerprint for record in records.values()}) == 1
    assert records["roi_detection"].configuration["steps"] == 12
    assert records["decomposition-seed0"].detectors.run == str(run / "roi_detection")
    assert records["decomposition-seed0"].end2end == str(run / "end2end-seed0")
    assert records["retraining"].decomposition.run == str(run / "decomposition-seed0")
    assert records["retraining"].configuration["steps"] == 12
    printed = (run / "printed.txt").read_text()
    assert "This is expected about" in printed and printed.count("Stage ") == 7
    spent, = json.loads((run / "config.json").read_text())["times"]
    assert spent["took"] > 1
    assert set(spent["expected"]) == {"preparing", "training", "evaluating", "report", "detecting"}
    assert f"Report: {run / 'report.html'}" in printed


def test_what_is_done_is_skipped(copied, run, command):
    before = times(copied)
    code, text, errors = command(reproduce.main, "--resume", "--output", copied)
    assert code == 0, errors
    assert text.count("finished already") == 5 and "This is expected" not in text and times(copied) == before
    assert repeated(copied) == repeated(run)


def test_stopped_inside_and_between_stages_it_ends_with_the_same_bits(copied, run, flags, command, monkeypatch):
    for stage in ("decomposition-seed0", "retraining", "audit"):
        shutil.rmtree(copied / stage)
    for name in ("reproduce.json", "report.html", "statistics.json"):
        (copied / name).unlink()
    kept, save = times(copied), fitting.save_checkpoint

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "save_checkpoint", lambda path, network, optimizer, step, *more:
                        stop() if step == 60 else save(path, network, optimizer, step, *more))
    assert command(reproduce.main, *flags(copied), "--resume")[0] == 130
    assert RunFolder(copied / "decomposition-seed0").checkpoint.exists()  # of step 50
    assert not (copied / "decomposition-seed0" / "report.html").exists()
    monkeypatch.setattr(fitting, "save_checkpoint", save)
    monkeypatch.setattr(audit, "run", stop)
    assert command(reproduce.main, "--resume", "--output", copied, "--workers", 1)[0] == 130
    assert (copied / "retraining" / "report.html").exists() and not (copied / "audit").exists()
    monkeypatch.undo()
    assert command(reproduce.main, "--resume", "--output", copied, "--workers", 1)[0] == 0
    assert kept.items() <= times(copied).items()
    assert repeated(copied) == repeated(run)


def test_a_failed_stage_is_named_with_what_to_do_and_the_others_are_kept(copied, command):
    shutil.rmtree(copied / "retraining")
    checkpoint = copied / "decomposition-seed0" / "checkpoint.safetensors"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:1000])
    before = times(copied)
    code, _, errors = command(reproduce.main, "--resume", "--output", copied, "--workers", 1)
    assert code == 1 and "Traceback" not in errors
    assert re.search(r"error: Stage 4 of 7, retraining.*: .*checkpoint\.safetensors", errors), errors
    assert f"go on with: python experiments/reproduce.py --resume --output {copied}" in errors
    assert before.items() <= times(copied).items()


def test_another_seed_trains_again_on_the_same_images_and_detectors(copied, run, command):
    code, text, errors = command(reproduce.main, "--resume", "--output", copied, "--seeds", 2, "--workers", 1)
    assert code == 0, errors
    first, second = (read_predictions(copied / f"end2end-seed{seed}" / "predictions.csv")["test"] for seed in (0, 1))
    assert first.names.tolist() == second.names.tolist() and first.patients.tolist() == second.patients.tolist()
    assert not np.array_equal(first.probabilities, second.probabilities)
    records = [RunFolder(copied / f"decomposition-seed{seed}").record() for seed in (0, 1)]
    assert [record.configuration["training_seed"] for record in records] == [0, 1]
    assert records[0].detectors == records[1].detectors
    found = read_record(SeedStatistics, copied / "statistics.json")
    assert found.paired.seeds == 2 and len(found.spread["end-to-end"].accuracy["mean"].values) == 2
    page = (copied / "report.html").read_text()
    assert "Decomposition, test set: 2 seeds" in page and "Over 2 training seeds" in page
    assert "9 stages, 5 of them finished" in text
    assert (copied / "end2end-seed0" / "results.json").read_bytes() == (
        run / "end2end-seed0" / "results.json").read_bytes()


def test_data_that_moved_are_named_anew_and_others_are_refused(copied, run, lesions, tmp_path, command):
    shutil.rmtree(copied / "retraining")
    for path in copied.rglob("config.json"):
        path.write_text(path.read_text().replace(str(lesions), "/nowhere/data"))
    moved, other = shutil.copytree(lesions, tmp_path / "moved"), tmp_path / "other"
    synthetic.write(other, seed=6, images=60, height=80)
    flags = ("--resume", "--output", copied, "--cache", tmp_path / "cache", "--workers", 1)
    code, _, errors = command(reproduce.main, *flags)
    assert code == 2 and "there is no such folder" in errors
    code, _, errors = command(reproduce.main, *flags, "--data", other)
    assert code == 1 and "another fingerprint" in errors and not (copied / "retraining").exists()
    code, _, errors = command(reproduce.main, *flags, "--data", moved)
    assert code == 0, errors
    before, now = repeated(run), repeated(copied)
    named = {"reproduce.json", "retraining/checkpoint.safetensors",  # name the data's folder
             "retraining/results.json", "retraining/predictions.csv"}  # and as the source
    assert {name for name in before if before[name] != now[name]} <= named
    trained, again = (load_checkpoint(folder / "retraining" / "checkpoint.safetensors").arrays
                      for folder in (run, copied))
    assert all(np.array_equal(array, again[name]) for name, array in trained.items())
    recorded = RunFolder(copied).record_as(ReproductionRecord).configuration
    assert recorded.classifiers["data"] == recorded.detectors["data"] == str(moved)


def test_data_that_lack_a_class_serve_for_roi_detection_alone(lesions, flags, tmp_path, command):
    data = shutil.copytree(lesions, tmp_path / "data")
    rows = (data / "labels.csv").read_text().splitlines()
    (data / "labels.csv").write_text("\n".join(row for row in rows if ",normal," not in row))
    code, text, errors = command(reproduce.main, *flags(tmp_path / "run"), "--data", data)
    assert code == 0, errors
    assert re.findall(r"Stage \d of 3, (.*)", text) == ["ROI detection, 10 detectors", "audit of the thesis's tables",
                                                       "report"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "The classifiers could not be trained: the data hold no normal images" in text
    assert all(shown in page for shown in SHOWN) and page.count("Not done: the data hold no normal images") > 10
    assert read_record(ReproductionResults, tmp_path / "run" / "reproduce.json").classifiers is None


@pytest.mark.parametrize(("given", "message"), [
    (("--seeds", 0), "--seeds 0: expected at least 1"), (("--side", 33), "--side 33"), (("--depth", 0), "--depth 0"),
    (("--loss", "iou"), "argument --loss: invalid choice"), (("--retraining-steps", 0), "--retraining-steps 0"),
    (("--detector-batch", 1), "--batch 1"),
    (("--data", "/nowhere"), "there is no such folder")])
def test_a_wrong_call_has_exit_code_2_and_writes_nothing(given, message, flags, tmp_path, command):
    code, _, errors = command(reproduce.main, *flags(tmp_path / "run"), *given)
    assert code == 2 and message in errors and "Traceback" not in errors, errors
    assert not (tmp_path / "run").exists()


def test_a_run_is_neither_overwritten_nor_resumed_with_other_flags(run, finished, flags, command):
    before = times(run)
    for given, message in ((flags(run), "holds a run already"),
                           ((*flags(run), "--resume", "--steps", 61), "--steps 61: the run in .* has 60"),
                           (("--resume", "--output", run, "--loss", "ss"), "--loss ss: the run in .* has dice"),
                           (("--resume", "--output", finished), r"is one of experiments/end2end\.py")):
        code, _, errors = command(reproduce.main, *given)
        assert code == 2 and re.search(message, errors), errors
    assert times(run) == before


def test_help_shows_examples(command):
    code, text, _ = command(reproduce.main, "--help")
    assert code == 0 and "python experiments/reproduce.py --seeds 3" in text and "--retraining-steps" in text
