"""Adam, number by number, and its fast version."""
import math
import os

import numpy as np
import pytest

from engine.kernels.adam import adam_update
from engine.kernels.cpu import use_threads
from engine.optimizers import Adam

GRADIENTS = [0.5, -2.0, 0.25, 3.0, 3.0, -0.125, 0.0, 1e-6]
RATES = [0.1, 0.1, 0.05, 0.2, 0.1, 0.1, 0.1, 0.1]


def walk(make):
    """The parameter after each of the steps of GRADIENTS and RATES, starting from 1."""
    theta = np.array([1.0])
    optimizer = make({"theta": theta})
    path = []
    for g, rate in zip(GRADIENTS, RATES, strict=True):
        optimizer.step({"theta": np.array([g])}, rate)
        path.append(theta[0])
    return path


def test_adam_number_by_number():
    theta, m1, m2, expected = 1.0, 0.0, 0.0, []
    for t, (g, rate) in enumerate(zip(GRADIENTS, RATES, strict=True), start=1):
        m1 = 0.9 * m1 + (1 - 0.9) * g
        m2 = 0.999 * m2 + (1 - 0.999) * (g * g)
        theta -= rate * ((m1 / (1 - 0.9**t)) / (math.sqrt(m2 / (1 - 0.999**t)) + 1e-8))
        expected.append(theta)
    assert walk(Adam) == expected


def test_adam_as_weighted_means_of_all_gradients():
    """Bias correction makes both averages proper weighted means, the weights beta^(t-s) adding up to 1."""
    theta, g = 1.0, np.array(GRADIENTS)
    for t, rate in enumerate(RATES, start=1):
        w1, w2 = (beta ** np.arange(t - 1, -1, -1) for beta in (0.7, 0.95))
        mean, square = np.sum(w1 * g[:t]) / np.sum(w1), np.sum(w2 * g[:t] ** 2) / np.sum(w2)
        theta -= rate * mean / (np.sqrt(square) + 1e-3)
    path = walk(lambda parameters: Adam(parameters, beta1=0.7, beta2=0.95, epsilon=1e-3))
    assert path[-1] == pytest.approx(theta, rel=1e-13)


def test_the_printed_second_moment_of_adam_makes_steps_32_times_too_short():
    theta = np.array([3.0])
    Adam({"theta": theta}).step({"theta": np.array([0.7])}, 0.1)
    assert 3.0 - theta[0] == pytest.approx(0.1, rel=1e-7)  # the first step is lambda, whatever the gradient's size
    printed = 0.1 * 0.7 / math.sqrt((2 - 0.999) * 0.7**2 / (1 - 0.999))  # line 5 as printed
    assert 0.1 / printed == pytest.approx(math.sqrt(1001))


def update_arguments(shape, dtype, seed=3):
    rng = np.random.default_rng(seed)
    theta, g, m1, root = (np.asarray(rng.standard_normal(shape), dtype) for _ in range(4))
    return theta, g, m1, np.asarray(root * root)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 3, 2, 7), ((1 << 20) + 3,)])
@pytest.mark.parametrize("layout", ["contiguous", "reversed", "transposed"])
def test_the_fast_version_has_the_moments_bits_of_the_definition_and_its_parameters_to_rounding(dtype, shape, layout):
    arrays = update_arguments(shape, dtype)
    if layout == "reversed" and shape:
        arrays = tuple(array[::-1] for array in arrays)
    if layout == "transposed":
        arrays = tuple(array.T for array in arrays)
    g_before = arrays[1].copy()
    expected = tuple(np.array(array) for array in arrays)
    adam_update.dispatch(object)(*expected, 3, 0.01, 0.9, 0.999, 1e-8)
    assert adam_update.dispatch(np.ndarray) is not adam_update.dispatch(object)
    adam_update(*arrays, 3, 0.01, 0.9, 0.999, 1e-8)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(arrays[1:], expected[1:], strict=True))
    np.testing.assert_allclose(arrays[0], expected[0], rtol=0, atol=4 * np.finfo(dtype).eps * max(
        1, np.abs(expected[0]).max(initial=0)))  # a change of 0.01, and one rounding when it is subtracted
    assert np.array_equal(arrays[1], g_before)


@pytest.fixture
def set_threads():
    yield use_threads
    use_threads(os.cpu_count() or 1)


def test_adam_is_the_same_on_any_number_of_threads(set_threads):
    results = []
    for threads in (1, 2, 5):
        set_threads(threads)
        arrays = update_arguments(((1 << 21) + 11,), "float32")
        adam_update(*arrays, 2, 0.01, 0.9, 0.999, 1e-8)
        results.append(arrays)
    for others in results[1:]:
        assert all(np.array_equal(one, other) for one, other in zip(results[0], others, strict=True))


def test_adam_with_decay_is_adamw_number_by_number():
    """Loshchilov and Hutter, Algorithm 2: theta <- theta - (lambda m1' / (sqrt(m2') + epsilon) + lambda w theta)."""
    theta = np.array([[1.0]])
    adam, expected, m1, m2 = Adam({"W": theta}, weight_decay=0.3), 1.0, 0.0, 0.0
    for t, (g, rate) in enumerate(zip(GRADIENTS, RATES, strict=True), start=1):
        adam.step({"W": np.array([[g]])}, rate)
        m1, m2 = 0.9 * m1 + 0.1 * g, 0.999 * m2 + 0.001 * g * g
        expected -= rate * (m1 / (1 - 0.9**t)) / (math.sqrt(m2 / (1 - 0.999**t)) + 1e-8) + rate * 0.3 * expected
        assert theta.item() == pytest.approx(expected, rel=1e-14)
