"""Optimizers against recursions written out number by number, sums in closed form, and the printed forms that fail."""
import math
import os
from itertools import pairwise

import array_api_strict
import numpy as np
import pytest

from engine.kernels.adam import adam_update
from engine.kernels.cpu import use_threads
from engine.optimizers import SGD, Adam, Momentum, cosine_decay, exponential_decay, gradient_norm

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


def test_cosine_rises_for_a_twentieth_and_falls_to_a_hundredth_where_it_stays():
    rates = [cosine_decay(2e-3, step, 400) for step in range(1, 801)]
    assert rates[0] == pytest.approx(2e-3 / 20, rel=1e-4) and max(rates) == rates[19]  # of step 20
    assert rates[199] == pytest.approx(2e-3 * 1.01 / 2, rel=1e-12)  # half way
    assert rates[399] == pytest.approx(2e-5, rel=1e-12) and set(rates[400:]) == {rates[399]}
    assert all(before > after for before, after in pairwise(rates[19:400]))


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_weights_decay_apart_from_the_gradient(kind):
    """(1 - lambda w) theta before the step of the same optimizer without decay, whatever the gradients; no vector's."""
    rng = np.random.default_rng(5)
    plain, decayed = ({"W": np.full((2, 3), 2.0), "kernel": np.full((1, 1, 2, 2), -1.0), "b": np.ones(3)}
                      for _ in range(2))
    one, other = kind(plain), kind(decayed, weight_decay=0.1)
    for step in range(4):
        rate, before = 0.2 / (step + 1), {path: array.copy() for path, array in decayed.items()}
        plain_before = {path: array.copy() for path, array in plain.items()}
        grads = {path: rng.standard_normal(array.shape) for path, array in plain.items()}
        one.step(grads, rate)
        other.step(grads, rate)
        for path in plain:
            kept = 1 - rate * 0.1 if path != "b" else 1
            np.testing.assert_allclose(decayed[path] - kept * before[path], plain[path] - plain_before[path],
                                       rtol=0, atol=1e-15)


def test_adam_with_decay_is_adamw_number_by_number():
    """Loshchilov and Hutter, Algorithm 2: theta <- theta - (lambda m1' / (sqrt(m2') + epsilon) + lambda w theta)."""
    theta = np.array([[1.0]])
    adam, expected, m1, m2 = Adam({"W": theta}, weight_decay=0.3), 1.0, 0.0, 0.0
    for t, (g, rate) in enumerate(zip(GRADIENTS, RATES, strict=True), start=1):
        adam.step({"W": np.array([[g]])}, rate)
        m1, m2 = 0.9 * m1 + 0.1 * g, 0.999 * m2 + 0.001 * g * g
        expected -= rate * (m1 / (1 - 0.9**t)) / (math.sqrt(m2 / (1 - 0.999**t)) + 1e-8) + rate * 0.3 * expected
        assert theta.item() == pytest.approx(expected, rel=1e-14)


def test_decay_inside_the_loss_would_hardly_touch_weights_with_large_gradients():
    """Why it is decoupled: with w theta added to a gradient, Adam's division takes most of it away again."""
    coupled, decoupled = np.full((1, 1), 1.0), np.full((1, 1), 1.0)
    one, other = Adam({"W": coupled}), Adam({"W": decoupled}, weight_decay=0.1)
    for step in range(200):
        g = 100.0 * (-1) ** step
        one.step({"W": g + 0.1 * coupled}, 0.01)
        other.step({"W": np.full((1, 1), g)}, 0.01)
    assert decoupled.item() < 0.82  # 0.999^200, and the steps
    assert coupled.item() > 0.98


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_long_gradients_are_scaled_to_the_norm_and_short_ones_stay(kind):
    clipped, by_hand = ({"a": np.zeros((2, 2)), "b": np.zeros(1)} for _ in range(2))
    one, other = kind(clipped, clip_norm=2.5), kind(by_hand)
    for scale in (1.0, 3.0, 1e30, 0.1):
        grads = {"a": scale * np.array([[1.0, -2], [2, 0]]), "b": scale * np.array([4.0]), "moments": np.full(9, 1e9)}
        norm = 5 * scale  # of a and b together; moments that ride along are none of it
        one.step(grads, 0.1)
        other.step({path: g * min(1, 2.5 / norm) for path, g in grads.items()}, 0.1)
        for path in clipped:
            np.testing.assert_allclose(clipped[path], by_hand[path], rtol=1e-14)


def test_a_norm_whose_squares_overflow():
    assert gradient_norm([np.full((3, 3), 1e30, np.float32)]) == pytest.approx(3e30, rel=1e-6)
    assert gradient_norm([np.array([3.0]), np.array([[4.0]])]) == 5
    assert gradient_norm([]) == 0
    assert gradient_norm([array_api_strict.asarray([3.0, 4.0])]) == 5
    theta = np.zeros((3, 3), np.float32)
    SGD({"W": theta}, clip_norm=3.0).step({"W": np.full((3, 3), 1e30, np.float32)}, 1.0)
    np.testing.assert_allclose(theta, -1, rtol=1e-6)


def extreme(kind, norm, learning_rate, **named):
    """A step from parameters at the very ends of float32, with memory as full as allowed steps can have filled it."""
    largest = np.finfo(np.float32).max
    theta = np.array([largest, -largest, 0, 1], np.float32)
    optimizer = kind({"W": theta}, **named)
    for sign in (1, 1, 1, -1, 1):
        g = np.zeros(4, np.float32)
        for place in range(4):
            g[:] = 0
            g[place] = sign * (-1) ** place * -norm
            optimizer.step({"W": g}, learning_rate)
    return optimizer


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
@pytest.mark.parametrize(("norm", "learning_rate"), [
    (10.0 ** g, 10.0 ** rate) for g in (-30, 0, 10, 18, 19, 25, 30, 38) for rate in (-8, -3, 0, 3, 10, 28, 31)])
def test_a_step_that_may_not_overflow_does_not(kind, norm, learning_rate):
    with np.errstate(all="ignore"):
        optimizer = extreme(kind, norm, learning_rate)
    finite = all(np.isfinite(array).all() for array in (*optimizer.parameters.values(), *optimizer.state().values()))
    assert finite or optimizer.may_overflow(norm, learning_rate)


@pytest.mark.parametrize("kind", [SGD, Momentum, Adam])
def test_what_may_overflow_and_what_never_does(kind):
    optimizer = kind({"W": np.ones(3, np.float32)})
    assert not optimizer.may_overflow(1e18, 1e-3)  # far beyond any training
    assert not optimizer.may_overflow(0.0, 1e3)
    assert optimizer.may_overflow(1e38, 1.0) and optimizer.may_overflow(math.inf, 1e-3)
    assert optimizer.may_overflow(math.nan, 1e-3) and optimizer.may_overflow(1.0, math.nan)
    assert not kind({"W": np.ones(3, np.float32)}, clip_norm=1.0).may_overflow(1e38, 1.0)
    assert not kind({"W": np.ones(3)}).may_overflow(1e38, 1.0)  # float64
    assert kind({"W": np.ones(3), "V": np.ones(3, np.float32)}).may_overflow(1e38, 1.0)
    assert not kind({}).may_overflow(1.0, 1.0)


def test_the_bound_is_where_float32_ends():
    sgd = SGD({"W": np.ones(3, np.float32)})
    assert not sgd.may_overflow(2.0**101, 1.0) and sgd.may_overflow(2.0**103, 1.0)
    assert not Adam({"W": np.ones(3, np.float32)}, 0.9, 0.5).may_overflow(1.0, 1e-3)  # beta1^2 > beta2


def test_a_velocity_grows_beyond_the_single_step():
    theta = np.full(3, np.finfo(np.float32).max)
    momentum, norm = Momentum({"W": theta}, mu=0.9), 2.0**101
    with np.errstate(over="ignore"):
        for _ in range(40):
            momentum.step({"W": np.full(3, -norm, np.float32)}, 1.0)
    assert np.isinf(theta).all() and momentum.may_overflow(norm, 1.0)


def test_adams_square_overflows_before_its_step_does():
    with np.errstate(over="ignore"):
        optimizer = extreme(Adam, 2e19, 1e-3)
    assert np.isinf(optimizer.memory["m2"]["W"]).any() and np.isfinite(optimizer.parameters["W"]).all()
    assert optimizer.may_overflow(2e19, 1e-3)


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.5), (0.5, 0.0), (0.0, 0.0), (0.99, 0.99)])
def test_adams_bound_of_a_step_holds_whatever_the_gradients(beta1, beta2):
    rng, theta = np.random.default_rng(6), np.zeros(50)
    adam = Adam({"W": theta}, beta1, beta2)
    bound = adam._largest_change(1e8, 1.0)
    for step in range(60):
        before = theta.copy()
        adam.step({"W": rng.standard_normal(50) * 10.0 ** rng.uniform(-8, 6, 50) * (step % 7 > 3)}, 1.0)
        assert np.abs(theta - before).max() <= bound < math.inf
    if beta1**2 < beta2:
        assert bound == pytest.approx(1 / math.sqrt((1 - beta2) * (1 - beta1**2 / beta2)))


@pytest.mark.parametrize(("build", "message"), [
    (lambda p: SGD(p, weight_decay=-0.1), "weight_decay is -0.1; expected a number of at least 0"),
    (lambda p: SGD(p, weight_decay=math.nan), "weight_decay is nan; expected"),
    (lambda p: Adam(p, clip_norm=0), "clip_norm is 0; expected a number above 0, or None"),
    (lambda p: Adam(p, clip_norm=math.inf), "clip_norm is inf; expected a number above 0"),
    (lambda p: Momentum(p, 1.0), r"mu is 1.0; expected a number in \[0, 1\)"),
    (lambda p: Momentum(p, -0.1), "mu is -0.1; expected"),
    (lambda p: Adam(p, beta1=1.0), r"beta1 is 1.0; expected a number in \[0, 1\)"),
    (lambda p: Adam(p, beta2=1.5), "beta2 is 1.5; expected"),
    (lambda p: Adam(p, epsilon=0), "epsilon is 0; expected a number above 0"),
])
def test_wrong_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build({"W": np.ones((2, 2))})


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused_before_anything_changes(rate):
    theta = np.ones((2, 2))
    optimizer = Adam({"W": theta})
    with pytest.raises(ValueError, match=f"the learning rate is {rate}; expected a number of at least 0"):
        optimizer.step({"W": np.ones((2, 2))}, rate)
    with pytest.raises(ValueError, match=r"the learning rate 20.0 times weight_decay 0.1 .* expected at most 1"):
        Adam({"W": theta}, weight_decay=0.1).step({"W": np.ones((2, 2))}, 20.0)
    assert (theta == 1).all() and optimizer.steps == 0


def test_the_usual_numbers_are_the_defaults():
    """Polyak's 0.9 (3.15), and those of Adam's paper."""
    theta = np.zeros(1)
    momentum = Momentum({"W": theta})
    for _ in range(2):
        momentum.step({"W": np.ones(1)}, 1.0)
    assert theta[0] == pytest.approx(-1 - 1.9)
