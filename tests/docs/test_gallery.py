"""Every mistake of the gallery: caught by the engine's check, missed by a weak one, and what its training shows."""
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from companion.mistakes import GALLERY
from companion.mistakes.page import findings, outcome, overview
from companion.mistakes.pictures import draw
from companion.mistakes.training import STEPS
from engine.layer import Layer, Run
from engine.layers import Activation
from engine.losses import binary_cross_entropy_with_logits, least_squares

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gallery.md"
each = pytest.mark.parametrize("mistake", GALLERY, ids=[mistake.name for mistake in GALLERY])


def named(name):
    mistake, = (mistake for mistake in GALLERY if mistake.name == name)
    return mistake


@each
def test_the_check_catches_it_in_the_right_arrays_and_passes_its_twin(mistake):
    found = [result for result in mistake.results(mistake.wrong) if not result.passed]
    assert {result.parameter for result in found} == mistake.rows
    assert all(result.error > 1e-3 and not result.kink for result in found), found
    assert all(result.passed for result in mistake.results(mistake.right)), mistake.results(mistake.right)


@each
def test_its_forward_is_right(mistake):
    x = np.linspace(*mistake.span, int(np.prod(mistake.shape))).reshape(mistake.shape)
    right, wrong = (mistake.make(kind).forward(x, Run(seed=(7,)))[0] for kind in (mistake.right, mistake.wrong))
    np.testing.assert_array_equal(right, wrong)


@each
def test_the_weak_check_misses_it_and_passes_the_right_one(mistake):
    assert mistake.weak.passes(mistake.wrong), mistake.weak.error(mistake.wrong)
    assert mistake.weak.passes(mistake.right), mistake.weak.error(mistake.right)
    assert mistake.weak.error(mistake.wrong) < mistake.weak.tolerance / 2  # and not by a hair


def noisy(kind):
    """A kind whose gradients are off by random numbers of size 1."""
    def noise(array):
        return np.random.default_rng(array.size).standard_normal(array.shape)

    if not inspect.isclass(kind):
        def loss(prediction, target):
            value, gradient = kind(prediction, target)
            return value, gradient + noise(gradient)
        return loss

    class Noisy(kind):
        def backward(self, dy, saved):
            dx, grads = super().backward(dy, saved)
            return dx + noise(dx), {path: g + noise(g) for path, g in grads.items()}

    return Noisy


@each
def test_the_weak_check_is_a_check_all_the_same(mistake):
    assert not mistake.weak.passes(noisy(mistake.right)), mistake.weak.error(noisy(mistake.right))


@each
def test_the_curve_of_the_right_one_is_a_v_and_that_of_the_wrong_one_flat(mistake):
    right, wrong = mistake.curve(mistake.right), mistake.curve(mistake.wrong)
    assert right.right and right.errors[~right.kinked].min() < 1e-8
    if mistake.tied:  # away from ties nothing is wrong
        assert wrong.right
    else:
        assert wrong.judgement.startswith("wrong: flat")


@each
def test_the_training_takes_the_right_kind_by_itself_and_the_wrong_one_in_its_place(mistake):
    assert inspect.signature(mistake.task).parameters[mistake.part].default is mistake.right
    right, wrong = mistake.trained(mistake.right), mistake.trained(mistake.wrong)
    assert len(right.losses) == len(wrong.losses) == STEPS
    assert right.losses[0] == wrong.losses[0]  # the same start: forward is right
    assert not np.array_equal(right.losses, wrong.losses)


def test_the_right_ones_learn():
    assert named("kernel-not-rotated").trained(named("kernel-not-rotated").right).score > 0.9
    assert named("slope-forgotten").trained(named("slope-forgotten").right).score > 0.9
    assert named("shortcut-forgotten").trained(named("shortcut-forgotten").right).score > 0.7


@pytest.mark.parametrize("name", ["kernel-not-rotated", "weight-gradient-reversed", "variance-forgotten"])
def test_some_learn_less(name):
    mistake = named(name)
    assert mistake.trained(mistake.wrong).last > 2 * mistake.trained(mistake.right).last


def test_one_does_not_learn():
    mistake = named("sign-of-the-gradient")
    assert mistake.trained(mistake.wrong).score < 0.5 and outcome(mistake) == "it does not learn"


@pytest.mark.parametrize("name", ["mask-not-rescaled", "entropy-not-divided", "slope-forgotten", "ties-doubled",
                                  "shortcut-forgotten"])
def test_some_train_well_enough_not_to_be_noticed(name):
    mistake = named(name)
    right, wrong = mistake.trained(mistake.right), mistake.trained(mistake.wrong)
    assert wrong.score > right.score - 0.08 and wrong.last < 2 * right.last


def test_adam_divides_a_factor_away():
    for name in ("mask-not-rescaled", "entropy-not-divided"):
        mistake = named(name)
        first = [mistake.trained(kind).losses[:20] for kind in (mistake.right, mistake.wrong)]
        np.testing.assert_allclose(*first, rtol=0.02)


def test_the_wrong_slope_of_the_least_squares_is_the_cross_entropys_gradient():
    logits, target = np.linspace(-2, 2, 12).reshape(3, 4), np.eye(3, 4)
    layer = named("slope-forgotten").wrong()
    p, saved = layer.forward(logits, Run())
    dx, _ = layer.backward(least_squares(p, target)[1], saved)
    np.testing.assert_allclose(dx, binary_cross_entropy_with_logits(logits, target)[1])


def test_the_page_shows_every_mistake_and_types_no_outcome():
    text = PAGE.read_text("utf-8")
    for mistake in GALLERY:
        assert f"(mistake-{mistake.name})=\n### " in text and f'show("{mistake.name}")' in text
        assert f"(#mistake-{mistake.name})" in overview()
    assert len(re.findall(r"^show\(", text, re.MULTILINE)) == len(GALLERY) >= 12


@each
def test_the_findings_are_those_of_the_check(mistake):
    shown = findings(mistake)
    assert "**Missed**" in shown
    for parameter in mistake.rows:
        assert f"`{parameter}` with a relative error" in shown
    assert draw(mistake).startswith(b"\x89PNG")


def test_every_wrong_layer_is_one_of_the_engines_kinds():
    for mistake in GALLERY:
        if inspect.isclass(mistake.right):
            assert issubclass(mistake.wrong, Layer)
            assert issubclass(mistake.wrong, mistake.right) or issubclass(mistake.wrong, Activation)
