"""Numbers that are not finite: named before anything is written."""
import numpy as np
import pytest

from engine.combinators import Chain, Recompute, Skip
from engine.layer import Layer
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool, ReLU
from engine.losses import binary_cross_entropy_with_logits, least_squares
from engine.optimizers import Adam
from engine.training import NotFinite, train


def image_network(seed=0):
    """All that could make a resumed run differ: batch norm's averages, dropout, recomputation."""
    rng = np.random.default_rng(seed)
    return Chain(
        conv=Conv2D(1, 4, activation=ReLU(), rng=rng), norm=BatchNorm(4), pool=MaxPool(2),
        level=Recompute(Skip(Conv2D(4, 3, rng=rng), Dropout(0.7))),
        flatten=Flatten(), dense=Dense(4 * 4 * 7, 8, ReLU(), rng=rng), dropout=Dropout(0.5), out=Dense(8, 3, rng=rng))


def batches(start, stop, seed=9):
    for number in range(start, stop):
        rng = np.random.default_rng((seed, number))
        x = rng.standard_normal((6, 8, 8, 1)).astype("float32")
        yield number, (x, np.eye(3, dtype="float32")[rng.integers(0, 3, 6)])


def arrays(network):
    return {path: array.copy() for path, array in (network.parameters() | network.moving_averages()).items()}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[path], other[path]) for path in one)


def expect_not_finite(network, batch, kind=Adam, loss=binary_cross_entropy_with_logits):
    """The error of step 12, after which everything is as it was."""
    optimizer = kind(network.parameters())
    before, state = arrays(network), {name: np.array(array) for name, array in optimizer.state().items()}
    with np.errstate(all="ignore"), pytest.raises(NotFinite) as caught:
        list(train(network, loss, optimizer, [(12, batch)], lambda number: 0.1, seed=0))
    after = arrays(network)
    assert all(np.array_equal(before[path], after[path], equal_nan=True) for path in before)
    assert same(state, optimizer.state())
    assert caught.value.step == 12 and "step 12" in str(caught.value)
    return caught.value


def test_a_nan_in_the_input_or_the_target():
    _, (x, target) = next(batches(0, 1))
    x[2, 3, 4, 0] = np.nan
    assert "the input is not finite" in str(expect_not_finite(image_network(), (x, target)))
    _, (x, target) = next(batches(0, 1))
    target[1, 1] = np.inf
    error = expect_not_finite(image_network(), (x, target))
    assert "the target is not finite" in str(error) and error.path == ""


def test_the_first_layer_whose_output_is_not_finite_is_named():
    network = image_network()
    network.parameters()["level.0.fork.0.W"][1, 2, 3, 0] = np.nan
    _, batch = next(batches(0, 1))
    error = expect_not_finite(network, batch)
    assert error.path == "level.0.fork.0"
    assert "'level.0.fork.0' (Conv2D) is the first" in str(error) and "its W already held" in str(error)


def test_a_layer_that_overflows_with_finite_parameters():
    network = image_network()
    network.parameters()["dense.W"][...] = 1e30
    network.parameters()["out.W"][...] = 1e30
    _, batch = next(batches(0, 1))
    error = expect_not_finite(network, batch)
    assert error.path == "out" and "its parameters are finite" in str(error)


def test_a_loss_that_is_not_finite_by_itself():
    network = Chain(Dense(2, 2, rng=np.random.default_rng(0)))
    batch = (np.ones((3, 2), np.float32), np.ones((3, 2), np.float32))
    error = expect_not_finite(network, batch, loss=lambda y, target: (np.float32(np.nan), y))
    assert error.path == "" and "the loss is nan, though the network's output is finite" in str(error)


def test_a_gradient_that_is_not_finite_is_named():
    network = Chain(a=Dense(2, 3, rng=np.random.default_rng(0)), b=Dense(3, 2, rng=np.random.default_rng(1)))
    network.parameters()["b.W"][...] = 1e30  # the way back through a overflows before the squares of the loss do
    batch = (np.ones((3, 2), np.float32), np.ones((3, 2), np.float32))
    error = expect_not_finite(network, batch, loss=lambda y, target: (np.float32(1), np.full_like(y, 1e10)))
    assert error.path in ("a.W", "a.b") and f"the gradient of '{error.path}' is not finite" in str(error)


def test_the_search_for_the_layer_records_nothing():
    """The gradients are still there, and what backward needs would come on top of them."""
    recorded = []

    class Told(Layer):
        def forward(self, x, run):
            recorded.append(run.record)
            return x, None

        def backward(self, dy, saved):
            return dy, {}

    network = Chain(Told(), Dense(2, 2, rng=np.random.default_rng(0)))
    batch = (np.ones((3, 2), np.float32), np.ones((3, 2), np.float32))
    expect_not_finite(network, batch, loss=lambda y, target: (np.float32(np.nan), y))
    assert recorded == [True, False]


def test_moments_that_are_not_finite_are_not_absorbed():
    class Moments(Layer):
        def forward(self, x, run):
            return x, None

        def backward(self, dy, saved):
            return dy, {"mean": np.array(np.inf)}

    network = Chain(Dense(2, 2, rng=np.random.default_rng(0)), Moments())
    batch = (np.ones((3, 2), np.float32), np.ones((3, 2), np.float32))
    assert expect_not_finite(network, batch, loss=least_squares).path == "1.mean"


@pytest.mark.parametrize("buffer", ["mean", "variance"])
def test_a_moving_average_that_is_not_finite_is_named(buffer):
    network = Chain(norm=BatchNorm(2, "moving"), out=Dense(2, 2, rng=np.random.default_rng(0)))
    network["norm"].buffers[buffer][1] = np.nan
    batch = (np.random.default_rng(1).normal(size=(3, 2)).astype("float32"), np.zeros((3, 2), np.float32))
    error = expect_not_finite(network, batch, loss=least_squares)
    assert error.path == "norm" and f"its {buffer} already held such numbers" in str(error)
