"""The error over the step size: a V for a right gradient."""
import numpy as np
import pytest

from engine.gradient_check import distinct, sweep
from engine.layer import Layer, Run
from engine.layers import Dense, PooledNorm, ReLU

SHAPE = (3, 4)


class Cube(Layer):
    """y = w x^3, with the entry `wrong` of dw off by a tenth."""

    def __init__(self, wrong=None):
        super().__init__()
        self.params = {"w": np.linspace(0.5, 1.5, 4)}
        self.wrong = wrong

    def forward(self, x, run):
        return self.params["w"] * x ** 3, x

    def backward(self, dy, saved):
        dw = (dy * saved ** 3).sum(0)
        if self.wrong is not None:
            dw[self.wrong] += 0.1
        return dy * self.params["w"] * 3 * saved ** 2, {"w": dw}


def rng():
    return np.random.default_rng(7)


def test_the_sweep_of_a_right_gradient_is_a_v():
    curve = sweep(Cube(), distinct(rng(), *SHAPE), Run(), rng())
    assert curve.right and curve.judgement.startswith("right: falls with slope 2.0, rises with slope -")
    assert curve.falling == pytest.approx(2, abs=0.1) and curve.rising == pytest.approx(-1, abs=0.3)


def test_the_sweep_of_a_wrong_gradient_is_flat():
    curve = sweep(Cube(wrong=1), distinct(rng(), *SHAPE), Run(), rng())
    assert not curve.right and curve.judgement.startswith("wrong: flat at")


def test_the_sweep_of_a_linear_layer_has_no_truncation():
    curve = sweep(Dense(4, 3, rng=rng(), dtype="float64"), distinct(rng(), *SHAPE), Run(), rng())
    assert curve.right and curve.falling is None


def test_the_sweep_leaves_out_steps_across_a_kink():
    x = distinct(rng(), *SHAPE)
    x[0, 0] = 1e-4
    curve = sweep(ReLU(), x, Run(), rng())
    assert curve.right and curve.kinked[0] and not curve.kinked[-1]
    everywhere = sweep(ReLU(), np.zeros(SHAPE), Run(), rng())
    assert everywhere.judgement == "undecided: every step crosses a kink; take another x"


class Slow(Layer):
    """y = x + part x |x|, whose central difference at 0 is off by as much as the step: a slope of 1, where 2 is due."""
    part = 1.0

    def forward(self, x, run):
        return x + self.part * x * np.abs(x), x

    def backward(self, dy, saved):
        return dy * (1 + 2 * self.part * np.abs(saved)), {}


def test_the_sweep_of_a_curve_that_falls_otherwise_is_undecided():
    curve = sweep(Slow(), np.zeros((1, 1)), Run(), rng())
    assert not curve.right and curve.judgement == "undecided: falls with slope 1.0, expected 2"


def test_the_sweep_of_a_curve_that_is_too_high_but_not_flat_is_undecided():
    layer = Slow()
    layer.part = 1e10  # off by more than 1e-6 at every step, and less with every smaller one
    assert sweep(layer, np.zeros((1, 1)), Run(), rng()).judgement.startswith("undecided: never below")


def test_the_sweep_of_a_small_mistake_is_flat_until_roundoff_covers_it():
    class Little(Cube):
        def forward(self, x, run):
            y, saved = super().forward(x, run)
            return y + 1000, saved  # whose rounding covers it at the smaller half of the steps

        def backward(self, dy, saved):
            dx, grads = super().backward(dy, saved)
            return dx * (1 + 1e-4), {"w": grads["w"] * (1 + 1e-4)}

    assert sweep(Little(), distinct(rng(), *SHAPE), Run(), rng()).judgement == "wrong: flat at 1e-04"


def test_the_sweep_of_fused_layers_whose_kinks_nobody_tells_of_is_right():
    for seed in (0, 2, 16, 34, 38, 52):
        norm, generator = PooledNorm(2, dtype="float64"), np.random.default_rng(seed)
        norm.params["c1"][...] = [0.8, -1.2]
        curve = sweep(norm, distinct(generator, 4, 16, 16, 2), Run(), generator)
        assert curve.right, curve.judgement
