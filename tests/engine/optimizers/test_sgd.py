"""Gradient descent and momentum, number by number."""
import numpy as np
import pytest

from engine.optimizers import SGD, Momentum

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


def test_the_printed_sign_of_gradient_descent_climbs():
    """On theta^2 / 2, whose gradient is theta."""
    theta, printed = np.array([3.0]), 3.0
    sgd = SGD({"theta": theta})
    for _ in range(200):
        sgd.step({"theta": theta.copy()}, 0.1)
        printed = printed + 0.1 * printed
    assert abs(theta[0]) < 1e-8
    assert printed > 1e8
