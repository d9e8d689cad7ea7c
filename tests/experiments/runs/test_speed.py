"""What a run is expected to take: every part of it is counted, for the steps and images that are still to come."""
from dataclasses import replace

import numpy as np
import pytest

from experiments.classifiers import network as classifier
from experiments.classifiers.expected import of_classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.datasets import synthetic
from experiments.detectors import network as detector
from experiments.detectors.expected import of_detecting, of_detectors
from experiments.inputs import cache
from experiments.inputs.cache import missing_entries, preparing
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.reporting import expected as report
from experiments.runs import speed
from experiments.runs.speed import evaluations, seconds_per_step
from experiments.system.durations import sentence, timed, together

SMALL = ClassifierConfiguration(preset="quick", side=32, width=0.05, batch=8, steps=100, evaluate_every=30)


@pytest.fixture
def a_second_each(monkeypatch):
    """Whatever is measured takes a second. The list: of what."""
    measured = []

    def seconds(function):
        measured.append(function())
        return 1.0

    for module in (speed, cache, report):
        monkeypatch.setattr(module, "seconds_of", seconds)
    return measured


@pytest.mark.parametrize(("total", "done", "every", "expected"), [
    (100, 0, 30, 4), (90, 0, 30, 3), (100, 60, 30, 2), (100, 100, 30, 0), (100, 99, 30, 1), (10, 0, 5000, 1)])
def test_evaluations_are_those_that_training_makes(total, done, every, expected):
    assert evaluations(total, done, every) == expected


def test_what_the_cache_lacks_is_prepared_by_samples_that_stay_there(tmp_path, a_second_each, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    settings, mammograms = Preprocessing(side=16, working_side=32), synthetic.dataset(0, 23, 40).mammograms
    prepare(mammograms[:5], settings, tmp_path)
    missing = missing_entries(mammograms, settings, tmp_path)
    assert len(missing) == 18
    assert preparing(missing, workers=1) == 15 and len(a_second_each) == cache.SAMPLES
    left = missing_entries(mammograms, settings, tmp_path)
    assert len(left) == 15 and preparing(left, workers=8) == 12 / 2
    assert preparing([], 4) == 0
    assert preparing(missing_entries(mammograms, settings, tmp_path)[:2], 1) == 0


def test_measuring_a_step_leaves_the_network_as_it_was():
    network = classifier.build(SMALL)
    before = {path: array.copy() for path, array in (network.parameters() | network.moving_averages()).items()}
    assert seconds_per_step(network, SMALL) > 0
    for path, array in (network.parameters() | network.moving_averages()).items():
        np.testing.assert_array_equal(array, before[path])


def test_a_classifier_s_training_is_its_steps_and_its_evaluations(a_second_each):
    """A second for 16 images of inference, for 8 of training."""
    whole = of_classifier(SMALL, "cpu", images=1000)
    assert whole["training"] == 100
    assert whole["evaluating"] == pytest.approx((4 * 200 + 1000) / 16)
    resumed = of_classifier(SMALL, "cpu", images=1000, done=90)
    assert resumed["training"] == 10 and resumed["evaluating"] == pytest.approx((200 + 1000) / 16)


def test_a_report_is_its_panels(a_second_each):
    """A second for two of them."""
    assert report.of_classification_report() == {"report": pytest.approx((15 + 25) / 2)}  # the layers as much as 25
    assert report.of_detectors_report() == {"report": pytest.approx((120 + 50) / 2)}


def test_detectors_are_as_many_trainings(a_second_each):
    configuration = DetectorConfiguration(side=16, depth=1, channels=1, batch=4, steps=50, evaluate_every=25)
    mammograms = synthetic.dataset(0, 300, 40).mammograms  # 200 with a lesion, 40 in a group
    assert len([each for each in mammograms if each.label != "normal"]) == 200
    found = of_detectors(configuration, "cpu", mammograms, trainings=10)
    assert found["training"] == 10 * 50 * 1
    assert found["evaluating"] == pytest.approx(10 * (2 * 40 + 40 + 200 + 60) / 16)  # 60 in the whole test split
    assert of_detectors(configuration, "cpu", mammograms, 10, done=490)["training"] == 10
    assert of_detecting(configuration, "cpu", 160) == {"detecting": pytest.approx(5 * 160 / 16)}


def test_parts_are_added_and_said():
    whole = together([{"preparing": 60.0, "training": 100.0}, {"training": 200.0, "report": 0.1}])
    assert whole == {"preparing": 60.0, "training": 300.0, "report": 0.1}
    assert sentence(whole) == ("expected about 6.0 minutes in all on this machine (preparing about 60 seconds, "
                               "training about 5.0 minutes), measured just now on small samples")


def test_time_is_added_to_its_part_also_where_the_work_fails():
    took = {"training": 5.0}
    with pytest.raises(KeyboardInterrupt), timed(took, "training"):
        raise KeyboardInterrupt
    with timed(took, "report"):
        pass
    assert took["training"] > 5 and list(took) == ["training", "report"]


def test_a_slow_network_is_measured_on_a_few_images(monkeypatch):
    sizes = []

    def seconds(function):
        function()
        return 1.0 + 2 * (len(sizes) > 0)

    network = detector.build(DetectorConfiguration(side=16, depth=1, channels=1))
    forward = network.forward
    monkeypatch.setattr(network, "forward", lambda x, run: sizes.append(len(x)) or forward(x, run))
    monkeypatch.setattr(speed, "seconds_of", seconds)
    configuration = replace(DetectorConfiguration(side=16, depth=1, channels=1), batch=50)
    assert seconds_per_step(network, configuration) == 3 * 50 / 4 and sizes == [4, 4]
