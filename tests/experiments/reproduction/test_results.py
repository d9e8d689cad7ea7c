"""What the reproduction reads of other runs and writes: read back as it was, and refused where it is damaged."""
import json

import numpy as np
import pytest

from experiments.configuration.classifier import ClassifierConfiguration
from experiments.evaluation import evaluate
from experiments.evaluation.predictions import ImagePredictions, write_predictions
from experiments.evaluation.recovery import audit
from experiments.evaluation.results import ClassifierResults, RoiResults
from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GroupsRecord
from experiments.reproduction.report.losses import LossCourse
from experiments.reproduction.report.material import FinishedRun
from experiments.reproduction.report.results import ClassifierNumbers, PrintedNumbers, ReproductionResults
from experiments.reproduction.report.roi import BestOverlap
from experiments.reproduction.statistics import SeedStatistics, seed_statistics
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure
from experiments.system.records import read_record, write_record

DATA = DataRecord("a set", False, "abc", 60, 30, {}, {}, [], {"cancer": 9}, {"cancer": 3}, 20, 10)
SETTINGS = ClassifierConfiguration(side=32, batch=4)


def outputs(seed):
    generator = np.random.default_rng(seed)
    return ImagePredictions(np.arange(60).astype(str), (np.arange(60) // 2).astype(str), np.arange(60) % 3,
                            generator.random((60, 3), np.float32))


@pytest.fixture
def runs(tmp_path):
    """The folders of three finished runs, as far as the reproduction reads them."""
    folders = [tmp_path / name for name in ("end2end-seed0", "decomposition-seed0", "retraining")]
    for seed, folder in enumerate(folders):
        given = outputs(seed)
        measured = evaluate(given.probabilities, given.labels, given.patients)
        write_predictions(folder / "predictions.csv", {"test": given})
        write_record(folder / "results.json", ClassifierResults(measured, measured, DATA, 0))
        write_record(folder / "config.json", RunRecord("end2end", SETTINGS.record(), DATA, "python", "cpu",
                                                       "2026-03-14T15:09:26", {}))
        (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 5, "evaluation": {}}\n'
                                              '{"step": 10, "loss": 1.5}\n')
    return folders


def statistics(runs):
    return seed_statistics([runs[0]], [runs[1]], runs[2])


def finished(folder):
    return FinishedRun(folder, (ClassifierConfiguration, ClassifierResults))


def edit(path, *changes):
    text = path.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path.write_text(text)


def test_statistics_are_read_back(runs, tmp_path):
    made = statistics(runs)
    assert made.paired.images == 60 and list(made.spread) == ["end-to-end", "decomposition"]
    write_record(tmp_path / "statistics.json", made)
    assert read_record(SeedStatistics, tmp_path / "statistics.json") == made


def test_a_reproduction_is_read_back_with_and_without_classifiers(runs, tmp_path):
    results = finished(runs[0]).results
    numbers = ClassifierNumbers({"end2end-seed0": results}, {}, results,
                                {"end-to-end": LossCourse(1, 0.5, 0.4, 0.3, 1)}, statistics(runs))
    for classifiers in (None, numbers):
        made = ReproductionResults(
            DATA, ["normal"], PrintedNumbers({"4.1": {"Batch-size": "50"}}, {"test": [370, 475, 350]}),
            RoiResults({}, {}, GroupsRecord([], {}, {}, {}), DATA, 0), {"P0-ss": BestOverlap(None, None, None, None)},
            audit(), classifiers)
        write_record(tmp_path / "reproduce.json", made)
        assert read_record(ReproductionResults, tmp_path / "reproduce.json") == made


def test_a_finished_run_is_read_from_its_folder(runs):
    run = finished(runs[0])
    assert run.configuration == SETTINGS and run.record.data == DATA and run.losses == [2.0, 1.5]
    assert run.results.test.images == 60


@pytest.mark.parametrize(("name", "change", "told", "read"), [
    ("results.json", ('"images": 60', '"images": "60"'), r"results\.json is damaged: .*\$\.test\.images",
     lambda run: run.results),
    ("results.json", ('"accuracy_ci"', '"ci"'), r"results\.json is damaged: .*`accuracy_ci`", lambda run: run.results),
    ("config.json", ('"started"', '"begun"'), r"config\.json is damaged: .*`started`", lambda run: run.record),
    ("config.json", ('"batch": 4', '"batch": 4.5'), r"config\.json is damaged: .*batch", lambda run: run.configuration),
    ("config.json", ('"batch": 4,', ""), r"config\.json does not hold .* it lacks 'batch'",
     lambda run: run.configuration),
    ("metrics.jsonl", ("loss", "lost"), r"metrics\.jsonl holds no loss", lambda run: run.losses)])
def test_a_damaged_file_of_a_run_is_named_with_its_field(name, change, told, read, runs):
    edit(runs[0] / name, change, *([change] if name == "metrics.jsonl" else []))
    with pytest.raises(Failure, match=told):
        read(finished(runs[0]))


def test_a_run_without_results_gives_no_statistics(runs):
    (runs[1] / "results.json").unlink()
    with pytest.raises(Failure, match=r"decomposition-seed0.results\.json cannot be read: No such file"):
        statistics(runs)


def test_damaged_statistics_are_named_with_their_field(runs, tmp_path):
    path = tmp_path / "statistics.json"
    write_record(path, statistics(runs))
    content = json.loads(path.read_text())
    content["paired"]["accuracy"]["mean"]["ci"] = ["low", "high"]
    path.write_text(json.dumps(content))
    with pytest.raises(Failure, match=r"statistics\.json is damaged: .*\$\.paired\.accuracy\[\.\.\.\]\.ci"):
        read_record(SeedStatistics, path)
