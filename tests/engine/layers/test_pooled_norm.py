"""Batch norm and max-pooling in one: the numbers of the two layers in a row."""
import tracemalloc

import numpy as np
import pytest

from engine.combinators import Chain
from engine.gradient_check import check, check_subgradient
from engine.kernels.cpu import use_threads
from engine.layer import Run
from engine.layers import BatchNorm, MaxPool, PooledNorm

RNG = np.random.default_rng
C1 = {"rising": [0.7, 0.2, 1.1], "falling": [-0.7, -0.2, -1.1], "both": [0.7, -1.3, 0.4]}


def both(statistics="batch", size=2, c1=C1["both"], dtype="float64"):
    """The pair of layers, and the one."""
    norm, pooled = BatchNorm(3, statistics, dtype=dtype), PooledNorm(3, statistics, size, dtype=dtype)
    for layer in (norm, pooled):
        layer.params["c1"][...], layer.params["c2"][...] = c1, [0.5, 0, -2]
        layer.buffers["mean"][...], layer.buffers["variance"][...] = [0.3, -0.2, 0], [1.5, 1, 0.7]
    return Chain(norm, MaxPool(size)), pooled


@pytest.mark.parametrize("c1", C1.values(), ids=C1)
@pytest.mark.parametrize(("size", "shape"), [(2, (3, 4, 6, 3)), ((2, 3), (3, 5, 7, 3)), (1, (2, 2, 3, 3))])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_the_numbers_of_batch_norm_and_max_pooling(statistics, train, size, shape, c1):
    pair, pooled = both(statistics, size, c1)
    x, run = RNG(1).normal(size=shape), Run(train=train)
    (expected, saved_pair), (y, saved) = pair.forward(x, run), pooled.forward(x, run)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(pooled.forward(x, Run(train, record=False))[0], y)
    dy = RNG(2).normal(size=y.shape)
    (dx, grads), (expected_dx, expected_grads) = pooled.backward(dy, saved), pair.backward(dy, saved_pair)
    np.testing.assert_allclose(dx, expected_dx, rtol=0, atol=1e-13)
    assert grads.keys() == {path.removeprefix("0.") for path in expected_grads}
    for path, g in grads.items():
        np.testing.assert_allclose(g, expected_grads[f"0.{path}"], rtol=0, atol=1e-12, err_msg=path)
    pooled.absorb(grads)
    pair.absorb(expected_grads)
    for path, average in pooled.moving_averages().items():
        np.testing.assert_allclose(average, pair.moving_averages()[f"0.{path}"], rtol=1e-13)


@pytest.mark.parametrize("c1", C1.values(), ids=C1)
def test_its_piece_is_that_of_the_pooling(c1):
    pair, pooled = both(c1=c1)
    x = RNG(3).normal(size=(2, 4, 4, 3))
    norm, pool = pair.children.values()
    hidden, y = norm.forward(x, Run())[0], pooled.forward(x, Run())[0]
    np.testing.assert_array_equal(pooled.piece(x, y), pool.piece(hidden, y))


def test_a_kink_between_two_places_of_a_maximum_is_reported_as_one():
    _, pooled = both()
    x = RNG(4).normal(size=(2, 4, 4, 3))
    x[0, :2, :2, 0] = [[5, 5 + 1e-9], [0, 1]]
    row = next(row for row in check(pooled, x, Run(), RNG(5)) if row.parameter == "x")
    assert row.kink and "PooledNorm, 1 place" in row.message


def test_a_tie_has_a_subgradient():
    _, pooled = both()
    x = np.repeat(np.repeat(RNG(6).normal(size=(2, 2, 2, 3)), 2, axis=1), 2, axis=2)
    assert check_subgradient(pooled, x, Run(train=False), RNG(7)).passed


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_backward_makes_one_array_of_the_size_of_x(statistics, threads_restored):
    """dx; not the gradient w.r.t. norm(x), too."""
    use_threads(1)  # another might make its work space only in the second pass
    pooled = PooledNorm(8, statistics)
    x = RNG(8).normal(size=(4, 64, 64, 8)).astype("float32")
    y, saved = pooled.forward(x, Run())
    pooled.backward(y, saved)
    tracemalloc.start(1)
    pooled.backward(y, saved)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert x.nbytes <= peak < 1.2 * x.nbytes


def test_its_line_and_what_it_refuses():
    assert repr(PooledNorm(3, "moving")) == "PooledNorm(3, 'moving', 2x2)"
    with pytest.raises(ValueError, match="statistics is 'median'"):
        PooledNorm(3, "median")
    with pytest.raises(ValueError, match=r"the image is 1x4 and the window 2x2: it fits nowhere"):
        PooledNorm(3).forward(np.zeros((2, 1, 4, 3), "float32"), Run())
    with pytest.raises(ValueError, match=r"dy is \(2, 2, 2, 3\) and the output was \(2, 1, 2, 3\)"):
        pooled = PooledNorm(3)
        pooled.backward(np.zeros((2, 2, 2, 3), "float32"), pooled.forward(np.zeros((2, 2, 4, 3), "float32"), Run())[1])
