"""The training loop: what it writes and when, and that a training in pieces is the same training."""
import json
import re
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from engine.combinators import Chain
from engine.kernels.cuda.precision import takes_tf32
from engine.layers import BatchNorm, Conv2D, Dropout
from engine.losses import dice, from_logits
from experiments.configuration.detector import DetectorConfiguration
from experiments.runs import fitting
from experiments.runs.fitting import fit
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import TrainedOn
from experiments.system.errors import Failure


def configuration(steps=23, checkpoint_every=5):
    return DetectorConfiguration(side=8, depth=1, batch=2, steps=steps, learning_rate=0.01, evaluate_every=10,
                                 steps_per_epoch=7, checkpoint_every=checkpoint_every)


def network():
    return Chain(conv=Conv2D(1, 1, rng=np.random.default_rng(0)), norm=BatchNorm(1), drop=Dropout(0.5))


def batches(step):
    generator = np.random.default_rng(step)
    x = generator.random((2, 8, 8, 1), np.float32)
    return x, (x > 0.5).astype(np.float32)


def silent(start, total):
    return told(lambda step: None)


@contextmanager
def told(function):
    yield function


def train(path, settings=None, batches=batches, watch=silent, evaluate=lambda: {"test": {"recall": 0.5, "loss": None}}):
    path.mkdir(exist_ok=True)
    trained = network()
    fit(trained, from_logits(dice), batches, settings or configuration(), RunFolder(path), evaluate,
        TrainedOn("roi_detection"), watch)
    return trained


def test_losses_evaluations_and_the_checkpoint_are_written(tmp_path):
    train(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 10, 20]
    assert [line for line in lines if "evaluation" in line] == [
        {"step": step, "evaluation": {"test": {"recall": 0.5, "loss": None}}} for step in (10, 20, 23)]
    rates = [line["learning_rate"] for line in lines if "loss" in line]
    assert rates == pytest.approx([0.01 * 0.75 ** (step / 7) for step in (1, 10, 20)])


@pytest.mark.parametrize("precision", ["fp32", "tf32"])
def test_products_have_the_precision_of_the_configuration(tmp_path, precision):
    """On a GPU: here the kernels are only asked which they would take."""
    asked, image = set(), np.zeros(1, np.float32)
    train(tmp_path, replace(configuration(steps=2), precision=precision), watch=lambda start, total: told(
        lambda step: asked.add(takes_tf32(image))))
    assert asked == {precision == "tf32"} and not takes_tf32(image)


@pytest.mark.parametrize("stop", [3, 5, 14, 20, 22])
def test_stopped_at_any_step_and_resumed_it_ends_with_the_same_bits(tmp_path, stop):
    whole = train(tmp_path / "whole")

    def interrupt(step):
        if step.number == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "pieces", watch=lambda start, total: told(interrupt))
    pieces = train(tmp_path / "pieces")
    for name in ("checkpoint.safetensors", "metrics.jsonl"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "pieces" / name).read_bytes()
    for path, array in whole.parameters().items():
        assert np.array_equal(array, pieces.parameters()[path])


def test_the_watch_is_told_of_every_step_before_anything_of_it_is_written(tmp_path):
    seen = []

    def look(step):
        seen.append((step.number, len(RunFolder(tmp_path).history())))

    train(tmp_path, watch=lambda start, total: told(look))
    assert [number for number, _ in seen] == list(range(1, 24))
    assert dict(seen)[1] == 0 and dict(seen)[2] == 1 and dict(seen)[10] == 1 and dict(seen)[11] == 3


def test_the_watch_knows_where_a_resumed_training_starts(tmp_path):
    train(tmp_path, configuration(steps=7))
    starts = []

    def watch(start, total):
        starts.append((start, total))
        return told(lambda step: None)

    train(tmp_path, configuration(steps=12), watch=watch)
    assert starts == [(7, 12)]


@pytest.mark.parametrize("first", [7, 10, 13])
def test_a_finished_training_is_trained_on_with_the_bits_of_one_of_so_many_steps(tmp_path, first):
    """Evaluated every ten steps and at the end: not at the end of the shorter one. Nor is the rate another."""
    train(tmp_path / "whole")
    for steps in (5, first, 23):
        train(tmp_path / "pieces", configuration(steps=steps))
    for name in ("checkpoint.safetensors", "metrics.jsonl"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "pieces" / name).read_bytes()


def test_a_checkpoint_of_more_steps_than_the_training_has_is_refused(tmp_path):
    train(tmp_path, configuration(steps=12))
    with pytest.raises(Failure, match="has 12 steps behind it, its optimizer 12; the run has 11 in all"):
        train(tmp_path, configuration(steps=11))


def test_a_finished_training_is_not_trained_on(tmp_path):
    before = train(tmp_path).parameters()
    after = train(tmp_path, batches=lambda step: pytest.fail("no batch is needed")).parameters()
    assert all(np.array_equal(before[path], after[path]) for path in before)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_an_infinite_input_is_a_failure_that_keeps_the_checkpoint(tmp_path):
    def broken(step):
        x, y = batches(step)
        return x + np.inf if step == 12 else x, y

    with pytest.raises(Failure, match=r"at step 12 the input is not finite.*is kept in"):
        train(tmp_path / "pieces", batches=broken)
    train(tmp_path / "pieces")
    train(tmp_path / "whole")
    assert (tmp_path / "pieces/checkpoint.safetensors").read_bytes() == (
        tmp_path / "whole/checkpoint.safetensors").read_bytes()


def test_the_progress_bar_shows_steps_and_loss(capsys, tmp_path):
    train(tmp_path, watch=fitting.progress_bar)
    assert re.fullmatch(r"Training: 23 of 23 steps \(100 %\), after .*, loss \d.\d{4}\n", capsys.readouterr().err)
