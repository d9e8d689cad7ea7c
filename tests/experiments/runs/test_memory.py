"""What memory a training is said to take: counted on few pixels, it holds of many."""
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from engine.layer import Run, parameter_count
from experiments.classifiers import network as classifier
from experiments.classifiers.expected import memory_of_classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.detectors import network as detector
from experiments.detectors.expected import memory_of_detectors
from experiments.runs import memory
from experiments.runs.memory import Needs, images_at_once, needs, traced
from experiments.system.machine import Machine

SMALL = ClassifierConfiguration(side=64, width=0.1, batch=16)
UNET = DetectorConfiguration(side=64, channels=4, depth=2, batch=8)


def step_of(network, batch, side):
    x = np.zeros((batch, side, side, 1), np.float32)
    y, *saved = network.forward(x, Run())
    network.last_gradients(y, saved.pop())


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize(("build", "configuration", "unit"), [(classifier.build, SMALL, 32), (detector.build, UNET, 4)])
def test_what_is_counted_on_few_pixels_holds_of_many(build, configuration, unit, recompute):
    """A step of 5 images of 256 pixels a side, 327680 pixels, against what 131072 say of it: within a half, beside
    20 MB of the blocks that the kernels compute in, which are more where a thread meets a size for the first time."""
    large = replace(configuration, side=256, batch=5, recompute=recompute)
    told, network = needs(build, large, unit), build(large)
    assert told.parameters == 4 * parameter_count(network)  # of the side itself, though none of it was built
    step_of(network, 2, 256)
    peak, stays = traced(lambda: step_of(network, 5, 256))
    said, took = told.step * 5 * 256**2 + told.parameters, peak - stays
    assert took / 1.5 - 20e6 <= said <= took * 1.5 + 20e6
    assert told.work < 100e6


def test_the_peak_is_that_of_the_hungriest_part():
    pixels = 128**2
    step, look, image = 10.0, 3.0, 8
    assert Needs(0, step, look, image).peak(16, 128) == max(10 * 16, 3 * 50) * pixels + 3 * 16 * 8
    assert Needs(0, step, look, image, 77).peak(4, 128) == 77 + max(10 * 4, 3 * 50) * pixels + 3 * 4 * 8
    assert Needs(10**9, step, look, image).peak(4, 128) == (4 + 6) * 10**9 + 40 * pixels + 3 * 4 * 8
    assert Needs(10**9, step, look, image).peak(4, 128, saving=False) == 4 * 10**9 + 40 * pixels + 3 * 4 * 8


def test_fewer_of_larger_images_are_evaluated_together():
    assert [images_at_once(side) for side in (32, 64, 128, 256, 512, 1024, 8192)] == [50, 50, 50, 12, 3, 1, 1]


def test_networks_see_images_in_such_batches(monkeypatch):
    monkeypatch.setattr(memory, "AT_ONCE", 3 * 32**2)
    images = np.random.default_rng(0).random((8, 32, 32, 1), np.float32)

    class Set:
        def images(self, indices):
            return images[indices]

    for network, answers in ((classifier.build(replace(SMALL, side=32)),
                              lambda each: classifier.probabilities(each, Set(), np.arange(8))),
                             (detector.build(UNET), lambda each: detector.probabilities(each, images))):
        seen, forward = [], network.forward
        network.forward = lambda x, run, seen=seen, forward=forward: seen.append(len(x)) or forward(x, run)
        assert len(answers(network)) == 8 and seen == [3, 3, 2]


def test_a_peak_is_the_most_at_one_time():
    def work():
        for _ in range(3):
            np.zeros(1_000_000, np.uint8)

    assert 1_000_000 <= traced(work)[0] < 1_100_000 and traced(work)[1] < 100_000
    tracemalloc.start()
    kept = np.zeros(5_000_000, np.uint8)
    try:
        assert 1_000_000 <= traced(work)[0] < 1_100_000 and tracemalloc.is_tracing()
        made = []
        assert traced(lambda: made.append(np.zeros(2_000_000, np.uint8)))[1] >= 2_000_000
    finally:
        tracemalloc.stop()
    assert len(kept)


@pytest.fixture
def machine_with(monkeypatch):
    """machine_with(bytes): so many are free, and this process has 100 MB."""
    for module in ("classifiers", "detectors"):
        monkeypatch.setattr(f"experiments.{module}.expected.resident_bytes", lambda: 100_000_000)
        monkeypatch.setattr(f"experiments.{module}.expected.needs", lambda build, other, *_: Needs(
            0, 5e4 if other.recompute else 1e5, 1e4, 0))
    return lambda free: monkeypatch.setattr(memory, "free_bytes", lambda: free)


def test_what_a_classifier_takes_is_said_with_what_is_free(machine_with):
    machine_with(20_000_000_000)
    configuration = replace(SMALL, side=128)  # 1e5 * 16 * 128**2 = 26.2 GB
    assert memory_of_classifier(replace(configuration, batch=8), Machine()) == (
        "It takes about 13.2 GB of memory at its peak; 20.0 GB are free")
    assert memory_of_classifier(configuration, Machine()) == (
        "It takes about 26.3 GB of memory at its peak, and 20.0 GB are free: it may be ended for lack of memory. Less "
        "is needed with --batch 8 about 13.2 GB, --recompute about 13.2 GB, --recompute --batch 8 about 8.3 GB; a "
        "smaller --side needs less, too")
    assert memory_of_classifier(replace(configuration, batch=2), Machine(), images=10**6) == (
        "It takes about 24.7 GB of memory at its peak, and 20.0 GB are free: it may be ended for lack of memory. Less "
        "is needed with --recompute about 24.7 GB; a smaller --side needs less, too")  # evaluating, and heat maps
    machine_with(None)
    assert memory_of_classifier(configuration, Machine()) == "It takes about 26.3 GB of memory at its peak"


def test_detectors_beside_each_other_take_as_often_as_much(machine_with):
    machine_with(10**12)
    configuration = replace(UNET, side=128, batch=10)  # 16.4 GB
    for workers, trainings, expected in ((1, 10, "16.6"), (3, 10, "49.6"), (3, 2, "33.1")):
        assert f"about {expected} GB of memory" in memory_of_detectors(
            configuration, Machine(workers=workers), trainings)


def test_on_a_gpu_it_is_that_of_the_gpu(machine_with, monkeypatch):
    machine_with(0)
    monkeypatch.setattr(memory, "free_bytes_of_gpu", lambda: 80_000_000_000)
    assert memory_of_classifier(replace(SMALL, side=128), Machine(device="cuda")) == (
        "It takes about 26.2 GB of the GPU's memory at its peak; 80.0 GB are free")
    assert "about 26.2 GB of the GPU's memory at its peak; 80.0 GB" in memory_of_detectors(
        replace(UNET, side=128, batch=16), Machine(device="cuda", workers=4), 10)
