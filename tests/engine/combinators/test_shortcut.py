"""Fork, Merge and Skip."""
import numpy as np
import pytest

from engine.combinators import Chain, Fork, Merge, Skip
from engine.layer import Layer, Run
from engine.layers import Conv2D, MaxPool, ReLU, Upsample


class Scale(Layer):
    """y = factor x, and nothing else."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x, run):
        return self.factor * x, None

    def backward(self, dy, saved):
        return self.factor * dy, {}


def test_skip_puts_fx_before_x_and_adds_the_gradients():
    skip, x = Skip(Scale(10)), np.array([1.0, 2]).reshape(1, 1, 1, 2)
    y, saved = skip.forward(x, Run())
    np.testing.assert_array_equal(y.ravel(), [10, 20, 1, 2])
    dx, _ = skip.backward(np.array([1.0, 2, 3, 4]).reshape(1, 1, 1, 4), saved)
    np.testing.assert_array_equal(dx.ravel(), [13, 24])


def test_skip_refuses_sides_that_were_halved_and_doubled_unevenly():
    message = r"^merge: what is merged is \(1, 4, 4, 2\) and \(1, 5, 4, 2\): only the channels may differ"
    with pytest.raises(ValueError, match=message):
        Skip(MaxPool(2), Upsample(2)).forward(np.zeros((1, 5, 4, 2)), Run())


def test_fork_makes_a_pair_and_merge_joins_one():
    x, dy = np.array([1.0, 2]).reshape(1, 1, 1, 2), np.array([1.0, 2, 3, 4]).reshape(1, 1, 1, 4)
    (fx, around), saved = Fork(Scale(10)).forward(x, Run())
    assert around is x and fx.ravel().tolist() == [10, 20]
    assert Fork(Scale(10)).backward((dy[..., :2], dy[..., 2:]), saved)[0].ravel().tolist() == [13, 24]
    y, saved = Merge(Scale(3)).forward((fx, around), Run())
    assert y.ravel().tolist() == [30, 60, 1, 2]
    da, db = Merge(Scale(3)).backward(dy, saved)[0]
    assert (da.ravel().tolist(), db.ravel().tolist()) == ([3, 6], [3, 4])


def test_layers_may_stand_between_a_fork_and_the_end_of_its_merge():
    """Skip(f, g) is Fork(f) and Merge(g), wherever the layers stand."""
    def conv(seed):
        return Conv2D(2, 2, activation=ReLU(), rng=np.random.default_rng(seed), dtype="float64")

    apart, skip = Chain(Fork(conv(1)), Merge(conv(2))), Skip(conv(1), conv(2))
    x = np.random.default_rng(4).normal(size=(3, 4, 4, 2))
    (y, saved), (expected, saved_skip) = apart.forward(x, Run()), skip.forward(x, Run())
    np.testing.assert_array_equal(y, expected)
    dy = np.random.default_rng(5).normal(size=y.shape)
    for _ in range(2):
        (dx, grads), (expected_dx, expected_grads) = apart.backward(dy, saved), skip.backward(dy, saved_skip)
        np.testing.assert_array_equal(dx, expected_dx)
        assert {path: g.tobytes() for path, g in zip(("fork.0.W", "fork.0.b", "fork.1.W", "fork.1.b"), (
            grads["0.0.W"], grads["0.0.b"], grads["1.0.W"], grads["1.0.b"]), strict=True)} == {
            path: g.tobytes() for path, g in expected_grads.items()}
