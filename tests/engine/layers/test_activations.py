"""Activations and softmax: values and slopes, NaN, overflow."""
import numpy as np
import pytest

from engine.layer import Run
from engine.layers import Dense, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh

RNG = np.random.default_rng
TRAIN, INFERENCE = Run(), Run(train=False)


def test_a_fused_activation_of_dense_gives_the_bits_of_a_separate_one():
    x, dy = RNG(1).normal(size=(4, 5)).astype("float32"), RNG(2).normal(size=(4, 3)).astype("float32")
    fused, plain, relu = Dense(5, 3, ReLU(), 0.1, rng=RNG(3)), Dense(5, 3, None, 0.1, rng=RNG(3)), ReLU()
    y, saved = fused.forward(x, TRAIN)
    a, saved_a = plain.forward(x, TRAIN)
    o, saved_o = relu.forward(a, TRAIN)
    np.testing.assert_array_equal(y, o)
    assert saved[1] is y
    dx, grads = fused.backward(dy, saved)
    expected_dx, expected = plain.backward(relu.backward(dy, saved_o)[0], saved_a)
    np.testing.assert_array_equal(dx, expected_dx)
    for name in expected:
        np.testing.assert_array_equal(grads[name], expected[name])


@pytest.mark.parametrize(("activation", "values", "slopes"), [
    (ReLU(), [0, 0, 3], [0, 0, 1]),
    (LeakyReLU(0.25), [-0.5, 0, 3], [0.25, 0.25, 1]),
    (Sigmoid(), [1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-3)],
     [np.e**2 / (1 + np.e**2) ** 2, 0.25, np.e**3 / (1 + np.e**3) ** 2]),
    (Tanh(), np.tanh([-2, 0, 3]), 1 / np.cosh([-2, 0, 3]) ** 2)], ids=lambda value: type(value).__name__)
def test_activations_and_their_slopes(activation, values, slopes):
    y, saved = activation.forward(np.array([-2.0, 0, 3]), TRAIN)
    np.testing.assert_allclose(y, values, rtol=1e-14)
    assert saved is y
    dx, grads = activation.backward(np.full(3, 2.0), saved)
    np.testing.assert_allclose(dx, 2 * np.array(slopes), rtol=1e-12)
    assert grads == {}


@pytest.mark.parametrize("activation", [ReLU(), LeakyReLU(), Sigmoid(), Tanh()], ids=lambda value: type(value).__name__)
def test_activations_let_a_nan_through_and_do_not_overflow(activation):
    with np.errstate(over="raise", divide="raise"):
        y, _ = activation.forward(np.array([np.nan, -1e4, 1e4], "float32"), TRAIN)
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()


def test_softmax_by_hand():
    softmax = Softmax()
    y, saved = softmax.forward(np.log([[1.0, 2, 5], [1, 1, 2]]), TRAIN)
    np.testing.assert_allclose(y, [[0.125, 0.25, 0.625], [0.25, 0.25, 0.5]], rtol=1e-15)
    dx, _ = softmax.backward(np.array([[1.0, 0, 0], [1, 1, 1]]), saved)
    np.testing.assert_allclose(dx, [[0.125 * 0.875, -0.125 * 0.25, -0.125 * 0.625], [0, 0, 0]], atol=1e-16)


def test_softmax_neither_overflows_nor_moves_with_a_constant():
    softmax, x = Softmax(), RNG(4).normal(size=(3, 5))
    with np.errstate(over="raise", invalid="raise"):
        large = softmax.forward(np.array([[1e4, 0, 1e4]]), TRAIN)[0]
    np.testing.assert_array_equal(large, [[0.5, 0, 0.5]])
    np.testing.assert_allclose(softmax.forward(x + 100, TRAIN)[0], softmax.forward(x, TRAIN)[0], rtol=1e-12)


def test_softmax_of_a_sample_does_not_depend_on_the_others():
    x = np.array([[2000.0, 2001, 2002], [0, 1, 2]])  # beside the first, the exponentials of the second are all 0
    y, _ = Softmax().forward(x, TRAIN)
    np.testing.assert_array_equal(y[0], y[1])
    np.testing.assert_array_equal(y[1:], Softmax().forward(x[1:], TRAIN)[0])
