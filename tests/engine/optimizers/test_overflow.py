"""Steps that may overflow are told before they are made."""
import math

import numpy as np
import pytest

from engine.optimizers import SGD, Adam, Momentum


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
