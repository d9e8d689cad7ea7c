"""Errors too small for a difference: a rounding to float32, a tenth digit, a gradient that is next to nothing."""
import numpy as np
import pytest

from engine.combinators import Chain, SlicedStage
from engine.gradient_check import check, check_complex, check_elements
from engine.gradient_check.case import layer_case
from engine.gradient_check.suite import examine
from engine.layer import Layer, Run
from engine.layers import Conv2D, Dense, PooledNorm, ReLU, Tanh

IMAGES, FLAT = (2, 4, 6, 2), (4, 6)
F64 = {"dtype": "float64"}


def dense(cls=Dense, sizes=(6, 3), activation=None):
    return cls(*sizes, activation, rng=np.random.default_rng(0), **F64)


class Off(Dense):
    """dW off by a part of itself."""
    part = 0.0

    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"] * (1 + self.part)}


@pytest.mark.parametrize(("checked", "seen", "unseen"), [(check, 2e-6, 5e-7), (check_elements, 2e-6, 5e-7),
                                                        (check_complex, 1e-9, 2e-12)])
def test_each_check_sees_as_much_as_it_says(checked, seen, unseen, failures):
    for part, rows in ((seen, {"W"}), (unseen, set())):
        layer = dense(Off)
        layer.part = part
        assert failures(checked, layer, FLAT).keys() == rows, part


class ForwardInFloat32(Dense):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return y.astype(np.float32).astype(np.float64), saved


class BackwardInFloat32(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx.astype(np.float32).astype(np.float64), grads


class GradientInFloat32(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"b": grads["b"].astype(np.float32)}


class AnswersInFloat32(Dense):
    def forward(self, x, run):
        y, saved = super().forward(x, run)
        return y.astype(np.float32), saved


def test_float32_inside_is_caught_wherever_it_is(assert_caught, failures):
    assert_caught(dense(ForwardInFloat32), dense(), FLAT, {"x", "W", "b"})
    assert_caught(dense(BackwardInFloat32), dense(), FLAT, set(), exact_rows={"x"})
    assert_caught(dense(GradientInFloat32), dense(), FLAT, {"(purity)"}, exact_rows={"b"})
    found = failures(check, dense(AnswersInFloat32), FLAT)
    assert found.keys() == {"(purity)", "x", "W", "b"} and "y is float32" in found["(purity)"].message


class Noisy(Layer):
    """y = x and noise of 1e-9 that depends on the last bits of x, as that of a sum in low precision."""

    def forward(self, x, run):
        return x + 1e-9 * np.sin(1e16 * x), None

    def backward(self, dy, saved):
        return dy, {}


def test_a_layers_own_noise_does_not_excuse_it(failures):
    assert failures(check, Noisy(), FLAT).keys() == {"x"}


def networks(dense_layer=Dense, conv_layer=Conv2D):
    """A small perceptron, a stage of a classifier, as whole cases."""
    rng = np.random.default_rng(0)
    yield layer_case("mlp", "", Chain(first=Dense(6, 5, Tanh(), rng=rng, **F64),
                                      last=dense_layer(5, 3, rng=rng, **F64)), *FLAT, whole=True)
    yield layer_case("classifier", "", SlicedStage(
        first=Conv2D(2, 3, activation=ReLU(), bias=0.5, rng=rng, **F64), last=conv_layer(3, 3, rng=rng, **F64),
        norm=PooledNorm(3, **F64)), *IMAGES, whole=True)


class DenseInFloat32(Dense):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"].astype(np.float32).astype(np.float64)}


class ConvOffInTheNinthDigit(Conv2D):
    def backward(self, dy, saved):
        dx, grads = super().backward(dy, saved)
        return dx, grads | {"W": grads["W"] * (1 + 1e-9)}


def test_whole_networks_are_held_to_the_last_digits_too():
    wrong = list(networks(DenseInFloat32, ConvOffInTheNinthDigit))
    for right, other in zip(networks(), wrong, strict=True):
        assert all(result.passed for result in examine(right))
        assert {result.parameter for result in examine(other) if not result.passed} == {"last.W"}
        assert all(result.passed for result in check(other.layer, other.x, other.run, np.random.default_rng(0)))


class Faint(Layer):
    """y = x + 1e-11 w, and dw `factor` times what it is."""
    factor = 1.0

    def __init__(self):
        super().__init__()
        self.params = {"w": np.ones(6)}

    def forward(self, x, run):
        return x + 1e-11 * self.params["w"], None

    def backward(self, dy, saved):
        return dy, {"w": self.factor * 1e-11 * dy.sum(0)}


def test_a_gradient_too_small_to_be_told_says_so_and_the_complex_step_tells_it(failures):
    layer, x, rng = Faint(), np.random.default_rng(1).normal(size=FLAT), np.random.default_rng
    layer.factor = 2.0
    for checked in (check, check_elements):
        row = {r.parameter: r for r in checked(layer, x, Run(), rng(0))}["w"]
        assert (row.passed, row.verdict) == (True, "too small")
        assert row.resolution > 0.5 and row.error == pytest.approx(0.5, abs=0.5)
        assert "cannot be told from roundoff" in row.message
    assert failures(check_complex, layer, FLAT)["w"].error == pytest.approx(0.5, rel=1e-3)
    layer.factor = 1.0
    assert not failures(check_complex, layer, FLAT)


def test_a_small_gradient_that_is_told_to_some_digits_says_to_how_many():
    class Fainter(Faint):
        def forward(self, x, run):
            return x + 1e-6 * self.params["w"] + 0 * x.sum(), None

        def backward(self, dy, saved):
            return dy, {"w": 1e-6 * (1 + 2e-5) * dy.sum(0)}

    row = {r.parameter: r for r in check(Fainter(), np.random.default_rng(1).normal(size=FLAT), Run(),
                                         np.random.default_rng(0))}["w"]
    assert row.passed and row.verdict == "passed" and 2e-5 < row.resolution < 0.5


def test_of_several_checks_the_one_that_told_most_is_shown():
    row = {r.parameter: r for r in examine(layer_case("Faint", "", Faint(), *FLAT))}["w"]
    assert row.verdict == "passed" and row.error < 1e-6 and not row.message
