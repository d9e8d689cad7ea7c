"""At a tie or a kink a backward must answer with a subgradient, and where there is none every check is silent."""
import numpy as np

from engine.gradient_check import check, check_subgradient, distinct
from engine.layer import Run
from engine.layers import LeakyReLU, MaxPool, ReLU


class TiesDoubled(MaxPool):
    def forward(self, x, run):
        y, _ = super().forward(x, run)
        return y, (x == y.repeat(2, 1).repeat(2, 2))

    def backward(self, dy, saved):
        return dy.repeat(2, 1).repeat(2, 2) * saved, {}


class TiesShared(TiesDoubled):
    def backward(self, dy, saved):
        n, height, width, channels = dy.shape
        winners = saved.reshape(n, height, 2, width, 2, channels).sum((2, 4))
        return super().backward(dy / winners, saved)


class SlopeTwoAtZero(ReLU):
    def gradient(self, do, o):
        return do * np.where(o > 0, 1, 2)


class SlopeMinusOneAtZero(ReLU):
    def gradient(self, do, o):
        return do * np.where(o > 0, 1, -1)


class NotANumberAtZero(ReLU):
    def gradient(self, do, o):
        return do * np.where(o > 0, 1, np.nan)


def test_a_tie_given_to_all_is_caught_where_there_is_a_tie(failures):
    rng = np.random.default_rng(0)
    tied = np.repeat(distinct(rng, 2, 2, 3, 2), 2, axis=1).repeat(2, axis=2)
    assert check_subgradient(MaxPool(), tied, Run(), rng).passed
    assert check_subgradient(TiesShared(), tied, Run(), rng).passed
    assert not check_subgradient(TiesDoubled(), tied, Run(), rng).passed
    assert not failures(check, TiesDoubled(), (2, 4, 6, 2))  # without ties it is right


def test_a_slope_that_is_no_subgradient_is_caught_at_the_kink():
    zeros = np.zeros((3, 4))
    rng = np.random.default_rng(0)
    assert check_subgradient(ReLU(), zeros, Run(), rng).passed
    assert not check_subgradient(SlopeTwoAtZero(), zeros, Run(), rng).passed


def test_a_slope_of_the_other_sign_or_none_at_all_is_caught_too():
    rng = np.random.default_rng(0)
    assert check_subgradient(LeakyReLU(0.2), np.zeros((3, 4)), Run(), rng).passed
    for layer in (SlopeMinusOneAtZero(), NotANumberAtZero()):
        result = check_subgradient(layer, np.zeros((3, 4)), Run(), rng)
        assert not result.passed and "on the two sides of x" in result.message


def test_one_direction_sees_it_whichever_way_it_points():
    for seed in range(6):  # along +1 the slope is too small, along -1 too large
        rng = np.random.default_rng(seed)
        assert not check_subgradient(SlopeMinusOneAtZero(), np.zeros((1, 1)), Run(), rng, directions=1).passed
