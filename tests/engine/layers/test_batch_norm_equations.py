"""Batch norm by (3.33) to (3.36), its averages and what it keeps."""
import numpy as np
import pytest

from engine.layer import Run
from engine.layers import BatchNorm

RNG = np.random.default_rng
TRAIN, INFERENCE = Run(), Run(train=False)


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 5, 4)])
def test_batch_norm_by_the_batch(shape):
    norm, x = BatchNorm(4, dtype="float64"), 3 + 2 * RNG(5).normal(size=shape)
    norm.params = {"c1": np.array([1.0, 2, 3, 4]), "c2": np.array([0.0, 1, 0, -1])}
    y, _ = norm.forward(x, TRAIN)
    axes = tuple(range(x.ndim - 1))
    expected = (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-5) * norm.params["c1"] + norm.params["c2"]
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(y.mean(axes), norm.params["c2"], atol=1e-13)


def test_batch_norm_by_the_moving_averages_this_batch_included():
    norm, x = BatchNorm(1, "moving", alpha=0.75, epsilon=0.25, dtype="float64"), np.array([[1.0], [5.0]])
    norm.buffers = {"mean": np.array([1.0]), "variance": np.array([2.0])}
    y, _ = norm.forward(x, TRAIN)  # mu 3, var 4: m = 0.75 + 0.75, v = 1.5 + 1
    np.testing.assert_allclose(y, [[-0.5 / np.sqrt(2.75)], [3.5 / np.sqrt(2.75)]], rtol=1e-14)


def test_moving_averages_without_memory_are_the_usual_form():
    x, dy = RNG(6).normal(size=(7, 3)), RNG(7).normal(size=(7, 3))
    usual, printed = BatchNorm(3, dtype="float64"), BatchNorm(3, "moving", alpha=0.0, dtype="float64")
    y, saved = usual.forward(x, TRAIN)
    y0, saved0 = printed.forward(x, TRAIN)
    np.testing.assert_allclose(y0, y, rtol=0, atol=1e-15)
    np.testing.assert_allclose(printed.backward(dy, saved0)[0], usual.backward(dy, saved)[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_batch_norm_in_inference(statistics):
    norm, x = BatchNorm(2, statistics, epsilon=1.0, dtype="float64"), np.array([[1.0, 2], [3, 4]])
    norm.buffers = {"mean": np.array([1.0, 0]), "variance": np.array([3.0, 8])}
    y, saved = norm.forward(x, INFERENCE)
    np.testing.assert_allclose(y, [[0, 2 / 3], [1, 4 / 3]], rtol=1e-15)
    dx, grads = norm.backward(np.ones((2, 2)), saved)
    np.testing.assert_allclose(dx, [[1 / 2, 1 / 3], [1 / 2, 1 / 3]], rtol=1e-15)
    np.testing.assert_allclose(grads["c1"], [1, 2], rtol=1e-15)
    assert grads.keys() == {"c1", "c2"}
    before = {name: average.copy() for name, average in norm.buffers.items()}
    norm.absorb(grads)  # a pass of inference measured nothing
    np.testing.assert_equal(norm.buffers, before)


def test_absorb_moves_the_averages_and_forward_and_backward_do_not():
    norm, x = BatchNorm(1, alpha=0.75, dtype="float64"), np.array([[1.0], [5.0]])
    for _ in range(2):
        y, saved = norm.forward(x, TRAIN)
        _, grads = norm.backward(y, saved)
    assert (norm.buffers["mean"], norm.buffers["variance"]) == (0, 1)
    assert (grads["mean"], grads["variance"]) == (3, 4)
    norm.absorb(grads)
    assert (norm.buffers["mean"], norm.buffers["variance"]) == (0.75, 1.75)


def test_batch_norm_of_a_constant_channel_is_finite():
    norm = BatchNorm(2)
    y, saved = norm.forward(np.full((3, 4, 4, 2), 0.1, "float32"), TRAIN)
    dx, _ = norm.backward(np.ones_like(y), saved)
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()
    assert np.abs(y).max() < 1e-3


def test_what_batch_norm_keeps():
    norm, x = BatchNorm(4), RNG(8).normal(size=(2, 3, 3, 4)).astype("float32")
    kept, measured = norm.forward(x, TRAIN)[1]
    assert kept is x and measured.M == 18
    assert {array.shape for array in (*measured.batch.values(), measured.m, measured.s)} == {(4,)}


@pytest.mark.parametrize("statistics", ["batch", "moving"])
def test_batch_norms_gradient_by_complex_step(statistics):
    norm, x, v, dy = BatchNorm(3, statistics, 0.6, dtype="float64"), *RNG(13).normal(size=(3, 5, 3))
    numeric = np.vdot(dy, norm.forward(x + 1e-200j * v, TRAIN)[0].imag) / 1e-200
    np.testing.assert_allclose(np.vdot(norm.backward(dy, norm.forward(x, TRAIN)[1])[0], v), numeric, rtol=1e-12)
