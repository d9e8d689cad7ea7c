"""What TensorBoard is given of a training: all of it, once, however often the training was interrupted."""
import io
import json
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from engine.combinators import Chain
from engine.layers import BatchNorm, Conv2D, ReLU
from engine.losses import dice, from_logits
from experiments.configuration.detector import DetectorConfiguration
from experiments.runs.board import BORDER, samples_picture, spread_over
from experiments.runs.fitting import fit
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import TrainedOn
from experiments.system.errors import Failure
from experiments.system.event_files import append, scalar

PICTURE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
LOGS = ("checkpoint.safetensors", "metrics.jsonl", "histograms.jsonl")


def batches(step):
    x = np.random.default_rng(step).random((2, 8, 8, 1), np.float32)
    return x, (x > 0.5).astype(np.float32)


def train(path, picture=lambda: PICTURE, stop=None, steps=123):
    path.mkdir(exist_ok=True)
    configuration = DetectorConfiguration(side=8, depth=1, batch=2, steps=steps, learning_rate=0.01, evaluate_every=30,
                                          checkpoint_every=25)
    network = Chain(conv=Conv2D(1, 2, activation=ReLU(), rng=np.random.default_rng(0)), norm=BatchNorm(2),
                    last=Conv2D(2, 1, rng=np.random.default_rng(1)))

    @contextmanager
    def watch(start, total):
        def look(step):
            if step.number == stop:
                raise KeyboardInterrupt
        yield look

    fit(network, from_logits(dice), batches, configuration, RunFolder(path),
        lambda: {"train": {"loss": None}, "test": {"loss": 0.5, "recall": float(network["last"].params["b"][0])}},
        TrainedOn("roi_detection"), watch, picture=picture)


def interrupted(path, *stops, picture=lambda: PICTURE):
    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            train(path, picture, stop)


def contents(found):
    """All that TensorBoard reads, but for the times."""
    tags = found.Tags()
    return {
        **{tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in tags["scalars"]},
        **{tag: [(event.step, event.histogram_value) for event in found.Histograms(tag)] for tag in tags["histograms"]},
        **{tag: [(event.step, event.encoded_image_string) for event in found.Images(tag)] for tag in tags["images"]}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole")
    train(path)
    return path


def test_loss_rate_and_evaluations_are_those_of_the_log(whole, events):
    found = contents(events(whole))
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    for tag, values in {
            "training/loss": [(each["step"], each["loss"]) for each in lines if "loss" in each],
            "training/learning_rate": [(each["step"], each["learning_rate"]) for each in lines if "loss" in each],
            "test/recall": [(each["step"], each["evaluation"]["test"]["recall"]) for each in lines
                            if "evaluation" in each]}.items():
        assert [step for step, _ in found[tag]] == [step for step, _ in values] and values
        np.testing.assert_allclose([value for _, value in found[tag]], [value for _, value in values], rtol=1e-6)
    assert "train/loss" not in found and [step for step, _ in found["test/loss"]] == [30, 60, 90, 120, 123]


def test_every_layer_has_its_four_histograms(whole, events):
    found = contents(events(whole))
    layers = RunFolder(whole).layers()
    assert [entry.step for entry in layers] == [1, 2, 5, 10, 20, 50, 100]
    for kind in ("parameters", "gradients", "activations"):
        for path in getattr(layers[0], kind):
            assert [step for step, _ in found[f"{kind}/{path}"]] == [entry.step for entry in layers]
    for entry, (_, histogram) in zip(layers, found["activations/conv"], strict=True):
        least, *_, largest = entry.activations["conv"].quantiles
        assert (histogram.min, histogram.max) == pytest.approx((least, largest), rel=1e-3)


def test_a_picture_of_the_samples_with_every_evaluation(whole, events):
    shown = contents(events(whole))["samples"]
    assert [step for step, _ in shown] == [30, 60, 90, 120, 123]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown[0][1]))), PICTURE)


@pytest.mark.parametrize("stops", [(3,), (60,), (55, 101, 120), (122,)])
def test_a_resumed_training_has_the_curves_of_one_that_nothing_interrupted(whole, stops, tmp_path, events):
    interrupted(tmp_path / "run", *stops)
    train(tmp_path / "run")
    assert contents(events(tmp_path / "run")) == contents(events(whole))
    for name in LOGS:
        assert (tmp_path / "run" / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("kept", [1, 10, 100])
def test_a_record_that_a_kill_cut_off_is_written_again(whole, kept, tmp_path, events):
    interrupted(tmp_path, 101)  # step 100 was the last that wrote
    file = RunFolder(tmp_path).events
    file.write_bytes(file.read_bytes()[:-kept])
    assert len(contents(events(tmp_path))["training/loss"]) == 11  # readable in this state, too
    train(tmp_path)
    found, expected = contents(events(tmp_path)), contents(events(whole))
    assert found["training/loss"] == expected["training/loss"]
    # the histograms of the step of the checkpoint itself are lost: that step is not made again
    assert {step for step, _ in expected["activations/conv"]} - {step for step, _ in found["activations/conv"]} <= {100}


def test_with_the_flag_or_without_it_the_training_is_the_same(whole, tmp_path):
    train(tmp_path / "without", picture=None)
    assert not RunFolder(tmp_path / "without").events.exists()
    for name in LOGS:
        assert (tmp_path / "without" / name).read_bytes() == (whole / name).read_bytes()


def test_a_training_that_gets_the_flag_later_shows_what_was_logged_before(whole, tmp_path, events):
    interrupted(tmp_path, 55, picture=None)
    train(tmp_path)
    found, expected = contents(events(tmp_path)), contents(events(whole))
    for tag in ("training/loss", "training/learning_rate", "test/recall"):
        assert found[tag] == expected[tag]
    assert [step for step, _ in found["activations/conv"]] == [100]


def test_a_training_that_loses_the_flag_for_a_while_goes_on(whole, tmp_path, events):
    interrupted(tmp_path, 55)
    interrupted(tmp_path, 80, picture=None)
    train(tmp_path)
    steps = [step for step, _ in contents(events(tmp_path))["training/loss"]]
    assert steps == sorted(set(steps)) and steps[-1] == 120
    for name in LOGS:
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


def test_a_finished_training_can_be_shown_afterwards(tmp_path, events):
    train(tmp_path, picture=None)
    train(tmp_path)
    assert len(contents(events(tmp_path))["training/loss"]) == 13


def test_a_file_that_cannot_be_written_is_a_failure_that_says_how_to_go_on(tmp_path):
    RunFolder(tmp_path).events.mkdir()
    with pytest.raises(Failure, match=r"tfevents.run cannot be written: .*--resume"):
        train(tmp_path)


def test_an_event_of_before_is_kept_with_its_time(tmp_path, events):
    folder = RunFolder(tmp_path / "run")
    interrupted(folder.path, 60)
    before = events(folder.path).Scalars("training/loss")
    train(folder.path)
    after = events(folder.path).Scalars("training/loss")
    assert [(each.step, each.wall_time) for each in after if each.step <= 50] == [
        (each.step, each.wall_time) for each in before if each.step <= 50]


def test_samples_stand_side_by_side_with_the_border_of_their_masks():
    images, masks = np.zeros((2, 64, 64)), np.zeros((2, 64, 64), bool)
    images[0, :32] = 1
    masks[1, 10:20, 30:50] = True
    other = np.full((2, 64, 64), 0.5)
    picture = samples_picture(images, masks, [other])
    assert picture.shape == (260, 260, 3) and picture.dtype == np.uint8  # enlarged, two rows of two, a gap of 4 between
    assert (picture[:64, :128] == 255).all() and (picture[64:128, :128] == 0).all() and (picture[128:132] == 255).all()
    border = (picture == BORDER).all(axis=-1)
    assert not border[:, :132].any() and border[:128, 132:].sum() == border[132:, 132:].sum() == 4 * (2 * 20 + 2 * 8)
    assert picture[20, 132 + 60].tolist() == list(BORDER) and picture[24, 132 + 64].tolist() == [0, 0, 0]
    assert np.unique(picture[132:, :128]).tolist() == [128]


@pytest.mark.parametrize(("number", "expected"), [(3, 3), (6, 6), (7, 6), (100, 6)])
def test_some_of_the_samples_evenly_spread(number, expected):
    chosen = spread_over(np.arange(number) + 5)
    assert len(chosen) == expected == len(set(chosen)) and chosen[0] == 5 and chosen[-1] == number + 4


def test_a_file_of_another_step_does_not_fold(tmp_path, events):
    """Left by a run whose checkpoint was lost: it begins anew, and so do the curves."""
    append(RunFolder(tmp_path).events, 7, [scalar("training/loss", 9.0)])
    train(tmp_path)
    assert contents(events(tmp_path))["training/loss"][0][0] == 1
