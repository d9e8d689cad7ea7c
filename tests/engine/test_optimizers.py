"""Optimizers against recursions written out number by number, sums in closed form, and the printed forms that fail."""
import math
import os

import array_api_strict
import numpy as np
import pytest

from engine.kernels.adam import adam_update
from engine.kernels.cpu.threads import use_threads
from engine.optimizers import SGD, Adam, Momentum, exponential_decay

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


def test_sgd_number_by_number():
    theta, expected = 1.0, []
    for g, rate in zip(GRADIENTS, RATES, strict=True):
        theta -= rate * g
        expected.append(theta)
    assert walk(SGD) == expected


def test_momentum_number_by_number():
    theta, v, expected = 1.0, 0.0, []
    for g, rate in zip(GRADIENTS, RATES, strict=True):
        v = 0.8 * v - rate * g
        theta += v
        expected.append(theta)
    assert walk(lambda parameters: Momentum(parameters, mu=0.8)) == expected


def test_momentum_is_a_weighted_sum_of_all_gradients():
    expected = 1 - sum(rate * g * sum(0.8**k for k in range(len(GRADIENTS) - s))
                       for s, (g, rate) in enumerate(zip(GRADIENTS, RATES, strict=True)))
    assert walk(lambda parameters: Momentum(parameters, mu=0.8))[-1] == pytest.approx(expected, rel=1e-13)


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


def test_the_printed_sign_of_gradient_descent_climbs():
    """On theta^2 / 2, whose gradient is theta."""
    theta, printed = np.array([3.0]), 3.0
    sgd = SGD({"theta": theta})
    for _ in range(200):
        sgd.step({"theta": theta.copy()}, 0.1)
        printed = printed + 0.1 * printed
    assert abs(theta[0]) < 1e-8
    assert printed > 1e8


def test_the_printed_second_moment_of_adam_makes_steps_32_times_too_short():
    theta = np.array([3.0])
    Adam({"theta": theta}).step({"theta": np.array([0.7])}, 0.1)
    assert 3.0 - theta[0] == pytest.approx(0.1, rel=1e-7)  # the first step is lambda, whatever the gradient's size
    printed = 0.1 * 0.7 / math.sqrt((2 - 0.999) * 0.7**2 / (1 - 0.999))  # line 5 as printed
    assert 0.1 / printed == pytest.approx(math.sqrt(1001))


def test_moments_that_ride_with_the_gradients_are_ignored():
    theta = np.ones(3)
    SGD({"W": theta}).step({"W": np.ones(3), "batch_mean": np.full(3, np.nan)}, 0.5)
    assert np.array_equal(theta, [0.5, 0.5, 0.5])


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_a_missing_or_misshapen_gradient_is_refused_before_anything_changes(kind):
    a, b = np.ones((2, 2)), np.ones(3)
    optimizer = kind({"a": a, "b": b})
    with pytest.raises(ValueError, match="'b' has no gradient"):
        optimizer.step({"a": np.ones((2, 2))}, 0.1)
    with pytest.raises(ValueError, match=r"'b' is \(3,\) and its gradient \(1,\)"):
        optimizer.step({"a": np.ones((2, 2)), "b": np.ones(1)}, 0.1)
    assert np.all(a == 1) and np.all(b == 1)
    assert optimizer.steps == 0 and all(not np.any(array) for array in optimizer.state().values())


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_a_loaded_state_continues_bit_for_bit(kind):
    rng = np.random.default_rng(1)
    grads = [{"W": rng.standard_normal((3, 4)).astype("float32")} for _ in range(6)]
    whole, parts = (np.ones((3, 4), np.float32) for _ in range(2))
    optimizer = kind({"W": whole})
    for g in grads:
        optimizer.step(g, 0.01)
    first, second = kind({"W": parts}), kind({"W": parts})
    for g in grads[:4]:
        first.step(g, 0.01)
    second.load({name: np.array(array) for name, array in first.state().items()})
    for g in grads[4:]:
        second.step(g, 0.01)
    assert np.array_equal(whole, parts)
    assert second.state().keys() == optimizer.state().keys()
    for name, array in optimizer.state().items():
        assert np.array_equal(array, second.state()[name])


def test_the_state_of_another_optimizer_is_refused_before_anything_changes():
    adam = Adam({"W": np.ones(3)})
    adam.step({"W": np.ones(3)}, 0.1)
    before = {name: np.array(array) for name, array in adam.state().items()}
    for other in (Momentum({"W": np.ones(3)}), Adam({"W": np.ones(4)}), Adam({"V": np.ones(3)})):
        with pytest.raises(ValueError, match=r"in what was given and .* in this Adam"):
            adam.load(other.state())
    assert all(np.array_equal(array, before[name]) for name, array in adam.state().items())


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_another_array_library(kind):
    rng = np.random.default_rng(2)
    ours, theirs = np.ones((2, 3)), array_api_strict.ones((2, 3), dtype=array_api_strict.float64)
    one, other = kind({"W": ours}), kind({"W": theirs})
    for _ in range(3):
        g = rng.standard_normal((2, 3))
        one.step({"W": g}, 0.1)
        other.step({"W": array_api_strict.asarray(g)}, 0.1)
    other.load(other.state())
    np.testing.assert_allclose(np.asarray(theirs), ours, rtol=1e-15)


def update_arguments(shape, dtype, seed=3):
    rng = np.random.default_rng(seed)
    theta, g, m1, root = (np.asarray(rng.standard_normal(shape), dtype) for _ in range(4))
    return theta, g, m1, np.asarray(root * root)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 3, 2, 7), ((1 << 20) + 3,)])
@pytest.mark.parametrize("layout", ["contiguous", "reversed", "transposed"])
def test_the_fast_version_has_the_bits_of_the_definition(dtype, shape, layout):
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
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(arrays, expected, strict=True))
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


def test_decay_is_continuous():
    assert exponential_decay(5e-5, 0.75, 0, 5000) == 5e-5
    assert exponential_decay(5e-5, 0.75, 10000, 5000) == pytest.approx(5e-5 * 0.5625, rel=1e-15)
    assert exponential_decay(1.0, 0.75, 2500, 5000) == pytest.approx(math.sqrt(0.75), rel=1e-15)
    ratios = [exponential_decay(1, 0.75, t + 1, 100) / exponential_decay(1, 0.75, t, 100) for t in range(300)]
    assert max(ratios) - min(ratios) < 1e-14  # every step lowers it by the same factor: no staircase
