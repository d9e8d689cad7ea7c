"""Batch norm where it is easily wrong: large means, too few numbers, other shapes; alone, pooled and in a stage."""
import numpy as np
import pytest

from engine.combinators import SlicedStage, stage
from engine.kernels import batch_moments, combine, gradient_sums, scale_and_shift
from engine.kernels.cpu import normalization
from engine.layer import Run
from engine.layers import BatchNorm, Conv2D, PooledNorm

RNG = np.random.default_rng
MEAN, HALF_DIGIT = 1000, 2.0**-15  # float32 holds 1000 to half of 2^-14
C1, C2 = [0.5, -1.5, 1.0], [0.0, 1.0, -1.0]


def norm(statistics="batch", dtype="float32", kind=BatchNorm):
    layer = kind(3, statistics, dtype=dtype)
    layer.params["c1"][...], layer.params["c2"][...] = C1, C2
    layer.buffers["mean"][...] = MEAN
    return layer


def alone(statistics, dtype):
    return norm(statistics, dtype)


def pooled(statistics, dtype):
    return norm(statistics, dtype, PooledNorm)


def in_slices(statistics, dtype):
    same = Conv2D(3, 3, 1, rng=RNG(0), dtype=dtype)
    same.params["W"][...] = np.eye(3)
    return SlicedStage(conv=same, norm=pooled(statistics, dtype))


EVERYWHERE = pytest.mark.parametrize("build", [alone, pooled, in_slices], ids=lambda build: build.__name__)


@EVERYWHERE
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_a_large_mean_costs_no_digits_but_the_means_last(build, statistics, train, monkeypatch):
    """m in float32 is off by half of its last digit at most; nothing else of y and dx is large."""
    monkeypatch.setattr(stage, "PIXELS", 2 * 64 * 64)
    x, run = (MEAN + RNG(1).normal(size=(4, 64, 64, 3))).astype("float32"), Run(train=train)
    results = []
    for dtype in ("float32", "float64"):
        network = build(statistics, dtype)
        y, saved = network.forward(x.astype(dtype), run)
        dy = RNG(2).normal(size=y.shape).astype("float32")
        results.append((y, network.backward(dy.astype(dtype), saved)[0]))
    (y, dx), (right_y, right_dx) = results
    assert y.dtype == dx.dtype == np.float32
    off = HALF_DIGIT * np.abs(C1) if train else 0  # the standard deviation is 1
    assert (np.abs(y - right_y).max((0, 1, 2)) <= 1.02 * off + 2e-6).all()
    assert np.abs(dx - right_dx).max() < 2e-6


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_a_large_mean_that_is_no_fraction_costs_backward_nothing(statistics):
    """With dy = x - m the third term, which holds x - mu, is as large as the first."""
    part = np.round(RNG(10).normal(size=(500, 3)) * 512) / 512
    x = (MEAN + np.concatenate([part, -part])).astype("float32")
    results = []
    for dtype in ("float32", "float64"):
        layer = norm(statistics, dtype)
        results.append(layer.backward(x.astype(dtype) - MEAN, layer.forward(x.astype(dtype), Run())[1]))
    (dx, grads), (right, right_grads) = results
    np.testing.assert_allclose(dx, right, rtol=0, atol=1e-5)
    np.testing.assert_allclose(grads["c1"], right_grads["c1"], rtol=2e-6)


def test_the_kernels_lose_no_digit_to_a_large_centre():
    rng = RNG(3)
    x, dy = (offset + rng.normal(size=(2, 90, 90, 5)).astype("float32") for offset in (1000, 0))
    centre, *vectors = (offset + rng.normal(size=5).astype("float32") for offset in (1000, 0, 0, 0))
    for kernel, arguments in ((scale_and_shift, (x, centre, *vectors[:2])), (gradient_sums, (dy, x, centre)),
                              (combine, (dy, x, centre, *vectors))):
        result, right = kernel(*arguments), kernel.dispatch(object)(*(each.astype("float64") for each in arguments))
        np.testing.assert_allclose(result, right, rtol=0, atol=1e-6 * np.abs(right[-1]).max())


@pytest.mark.parametrize("block", [1 << 12, normalization.BLOCK_BYTES])  # as many blocks as rows, a few
@pytest.mark.parametrize("shape", [(1, 512, 1024, 1), (2, 300, 300, 7), (3, 1, 1000), (40000, 16)])
def test_the_moments_are_right_to_their_last_digits_far_from_zero(shape, block, monkeypatch):
    monkeypatch.setattr(normalization, "BLOCK_BYTES", block)
    x = (30000 + RNG(4).normal(size=shape)).astype("float32")
    axes = tuple(range(len(shape) - 1))
    mean, variance = batch_moments(x)
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean(axes), rtol=7e-8)
    np.testing.assert_allclose(variance, exact.var(axes), rtol=4e-6)


def test_the_moments_of_rows_that_differ_from_the_others():
    """The centre is taken from every eighth row of a block: let just those be others."""
    x = RNG(5).normal(size=(512, 1024)).astype("float32")
    x[::8] += 10000
    mean, variance = batch_moments(x)
    np.testing.assert_allclose(mean, x.astype("float64").mean(0), rtol=0, atol=5e-6 * x.std())
    np.testing.assert_allclose(variance, x.astype("float64").var(0), rtol=2e-5)


def test_constant_channels_have_no_negative_variance():
    """The sum of squares about a centre less that of the mean is off by rounding, either way."""
    for values in 1e3 * RNG(8).normal(size=(30, 3)).astype("float32"):
        mean, variance = batch_moments(np.broadcast_to(values, (40000, 3)))
        np.testing.assert_allclose(mean, values, rtol=2e-7)
        assert (variance >= 0).all()
        assert (variance <= 1e-12 * values**2).all()


@EVERYWHERE
@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_other_channels_are_refused(build, statistics):
    message = r"the input is \(2, 4, 4, 1\); the layer expects \(.*3\)"
    for train in (True, False):
        with pytest.raises(ValueError, match=message):
            build(statistics, "float32").forward(np.zeros((2, 4, 4, 1), "float32"), Run(train=train))


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_training_on_one_number_a_channel_is_refused(statistics):
    for shape in ((1, 3), (1, 1, 1, 3)):
        with pytest.raises(ValueError, match=r"is \(1, .*\): a single number for every channel.* larger batches"):
            norm(statistics).forward(np.zeros(shape, "float32"), Run())
        y, _ = norm(statistics).forward(np.zeros(shape, "float32"), Run(train=False))
        assert y.shape == shape
    assert norm(statistics).forward(np.zeros((2, 3), "float32"), Run())[0].shape == (2, 3)


def test_training_on_one_number_a_channel_is_refused_where_a_pooling_follows():
    with pytest.raises(ValueError, match=r"\(1, 1, 1, 3\): a single number for every channel"):
        PooledNorm(3, size=1).forward(np.zeros((1, 1, 1, 3), "float32"), Run())


def test_what_is_pooled_where_c1_is_zero_is_the_largest():
    """y does not depend on x there, but its slope in c1 is that of the largest, as for every c1 above."""
    layer, x = pooled("batch", "float64"), RNG(7).normal(size=(2, 4, 4, 3))
    layer.params["c1"][...] = 0
    y, saved = layer.forward(x, Run())
    np.testing.assert_array_equal(y, np.broadcast_to(C2, y.shape))
    xhat = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)
    largest = xhat.reshape(2, 2, 2, 2, 2, 3).max((2, 4))
    _, grads = layer.backward(np.ones_like(y), saved)
    np.testing.assert_allclose(grads["c1"], largest.sum((0, 1, 2)), rtol=1e-10)
