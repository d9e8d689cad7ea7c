"""Kinks: beside the point, at it, told of by a layer or by nobody."""
import numpy as np
import pytest

from engine.combinators import Chain, Skip
from engine.gradient_check import check, check_elements, distinct, sweep
from engine.gradient_check.case import smooth_point
from engine.gradient_check.difference import STEPS
from engine.gradient_check.result import Result, badness
from engine.layer import Layer, Run
from engine.layers import Conv2D, Dense, MaxPool, ReLU

SHAPE = (3, 4)


def rng():
    return np.random.default_rng(7)


def by_parameter(results):
    return {result.parameter: result for result in results}


def test_a_kink_in_the_way_is_reported_with_layer_distance_and_advice():
    network = Chain(dense=Dense(4, 4, rng=rng(), dtype="float64"), deep=Skip(act=ReLU()))
    x = distinct(rng(), 1, 4)
    W, b = network.children["dense"].params.values()
    b[...] = [1, 1, 1e-10, 1] - x[0] @ W  # the third pre-activation is 1e-10, nearer to 0 than the smallest step
    row = by_parameter(check(network, x, Run(), rng()))["dense.b"]
    assert (row.passed, row.kink, row.verdict) == (False, True, "kink")
    assert "layer 'deep.fork.act' (ReLU), 1 place." in row.message
    assert "take another x" in row.message
    away = float(row.message.split("kink ")[1].split(" away")[0])
    assert 1e-10 <= away < STEPS[-1]


def test_a_smaller_step_is_taken_next_to_a_kink():
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-7
    assert all(result.passed for result in check(ReLU(), x, Run(), rng()))


@pytest.mark.parametrize("layer", [ReLU(), MaxPool()])
def test_at_a_tie_the_answer_is_kink_and_never_passed(layer):
    x = np.zeros((2, 4, 4, 2))
    for checked in (check, check_elements):
        row = by_parameter(checked(layer, x, Run(), rng()))["x"]
        assert row.kink and not row.passed and "check_subgradient" in row.message


def test_a_fused_activation_has_its_kink_in_the_pre_activation():
    layer = Conv2D(1, 1, 1, activation=ReLU(), rng=rng(), dtype="float64")
    x = distinct(rng(), 1, 3, 3, 1)
    layer.params["b"][...] = -x[0, 1, 1, 0] * layer.params["W"]
    assert by_parameter(check(layer, x, Run(), rng()))["b"].kink


def test_a_failure_at_one_entry_is_not_hidden_by_a_kink_at_another():
    class Bent(Layer):
        """Wrong by a tenth in its first entry; the kink of the second is nearby."""

        def forward(self, x, run):
            return np.maximum(x, 0), x

        def backward(self, dy, saved):
            return dy * (saved > 0) * np.array([1.1, 1.0]), {}

        def piece(self, x, y):
            return x > 0

    x = np.array([[0.5, 1e-10]])
    row = by_parameter(check_elements(Bent(), x, Run(), rng()))["x"]
    assert row.verdict == "FAILED" and "worst entry [0, 0]" in row.message
    results = [Result("a", "x", 0.1, False), Result("a", "x", 0.5, False, kink=True), Result("a", "x", 0.9, True),
               Result("a", "x", 0.0, True, resolution=0.9), Result("a", "x", 0.2, True, resolution=0.1)]
    assert sorted(results, key=badness, reverse=True) == [results[k] for k in (0, 1, 2, 4, 3)]


class Bend(Layer):
    """y = |x|, without the method `piece` that would tell of its kink."""

    def forward(self, x, run):
        return np.abs(x), np.sign(x)

    def backward(self, dy, saved):
        return dy * saved, {}


@pytest.mark.parametrize("side", [1e-10, -1e-10])
def test_a_kink_on_either_side_is_seen(side):
    assert "ReLU, 1 place." in by_parameter(check_elements(ReLU(), np.array([[0.5, side]]), Run(), rng()))["x"].message


class BendToldOf(Bend):
    def piece(self, x, y):
        return x > 0


def test_a_difference_across_a_kink_that_agrees_by_chance_has_not_passed():
    x = np.zeros((1, 2))  # numeric 0, and backward gives 0
    for checked in (check, check_elements):
        assert by_parameter(checked(BendToldOf(), x, Run(), rng()))["x"].verdict == "kink"


@pytest.mark.parametrize("distance", [3e-8, 1e-7, 2e-7, 1e-6, 2e-6])
def test_a_kink_that_nobody_tells_of_is_avoided_by_a_smaller_step(distance):
    x = distinct(rng(), *SHAPE)
    x[0, 0] = distance
    for checked in (check, check_elements):
        assert all(result.passed for result in checked(Bend(), x, Run(), rng()))
    assert sweep(Bend(), x, Run(), rng()).right


def test_a_kink_that_nobody_tells_of_at_the_very_point_is_reported_as_one():
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-12
    for checked in (check, check_elements):
        row = by_parameter(checked(Bend(), x, Run(), rng()))["x"]
        assert (row.passed, row.verdict) == (False, "kink")
        assert "a kink that no layer's `piece` tells of" in row.message and "the slopes on its sides" in row.message


def test_a_wrong_slope_at_such_a_kink_or_a_jump_is_no_kink():
    class Steep(Bend):
        def backward(self, dy, saved):
            return 3 * dy * saved, {}

    class Jump(Layer):
        def forward(self, x, run):
            return x + (x > 0), None

        def backward(self, dy, saved):
            return dy, {}

    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-12
    for layer in (Steep(), Jump()):
        assert by_parameter(check_elements(layer, x, Run(), rng()))["x"].verdict == "FAILED"


class Rare(Layer):
    """A kink beside each of the first points at which it is asked: three times for every draw of x."""

    def __init__(self, draws):
        super().__init__()
        self.kinks, self.calls = 3 * draws, 0

    def forward(self, x, run):
        return x, None

    def piece(self, x, y):
        self.calls += 1
        return np.array([self.calls if self.calls <= self.kinks else 0])


@pytest.mark.parametrize(("draws_with_kinks", "draws"), [(0, 1), (1, 2), (9, 10), (99, 10)])
def test_the_point_is_drawn_again_while_a_kink_is_near_ten_times_at_most(draws_with_kinks, draws):
    layer = Rare(draws_with_kinks)
    x = smooth_point(layer, Run(), rng(), 2, 3)
    assert layer.calls == 3 * draws
    assert np.array_equal(np.sort(x, axis=None), np.sort(distinct(rng(), 2, 3), axis=None))
