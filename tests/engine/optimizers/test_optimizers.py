"""Optimizers against recursions written out number by number, sums in closed form, and the printed forms that fail."""
import math

import array_api_strict
import numpy as np
import pytest

from engine.optimizers import SGD, Adam, Momentum, gradient_norm


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
