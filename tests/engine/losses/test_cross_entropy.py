"""The cross entropies: at the ends, from logits, by classes."""
from functools import partial

import array_api_strict
import numpy as np
import pytest

from engine.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    dice,
    from_logits,
    least_squares,
    sensitivity_specificity,
    softmax_cross_entropy_with_logits,
    weighted_binary_cross_entropy,
    weighted_binary_cross_entropy_with_logits,
)

ON_PROBABILITIES = {
    "least squares": least_squares,
    "binary cross entropy": binary_cross_entropy,
    "weighted cross entropy": partial(weighted_binary_cross_entropy, omega=3.0),
    "Dice": dice,
    "sensitivity-specificity": partial(sensitivity_specificity, rho=0.2),
}
ON_LOGITS = {
    "binary cross entropy with logits": binary_cross_entropy_with_logits,
    "weighted cross entropy with logits": partial(weighted_binary_cross_entropy_with_logits, omega=3.0),
    "softmax cross entropy with logits": softmax_cross_entropy_with_logits,
    "Dice of logits": from_logits(dice),
    "sensitivity-specificity of logits": from_logits(sensitivity_specificity),
}
LOSSES = ON_PROBABILITIES | ON_LOGITS


def test_softmax_cross_entropy_by_hand():
    value, gradient = softmax_cross_entropy_with_logits(np.log([[1.0, 2, 5], [4, 3, 1]]), np.eye(3)[[2, 1]])
    assert value == pytest.approx((np.log(8 / 5) + np.log(8 / 3)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[1 / 16, 1 / 8, -3 / 16], [1 / 4, -5 / 16, 1 / 16]], rtol=1e-14)


def test_softmax_cross_entropy_of_a_sample_does_not_depend_on_the_others():
    logits = np.array([[2000.0, 2001, 2002], [0, 1, 2]])
    value, gradient = softmax_cross_entropy_with_logits(logits, np.eye(3)[[0, 0]])
    assert value == pytest.approx(np.log(np.exp([0, 1, 2]).sum()), rel=1e-14)
    np.testing.assert_allclose(gradient[0], gradient[1], rtol=1e-14)


def test_the_slope_of_the_sigmoid_keeps_its_digits_at_both_ends():
    """1 - sigmoid(40) is 0 in float64; sigmoid(-40) is not."""
    _, gradient = from_logits(least_squares)(np.array([[40.0, -40.0]]), np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(gradient, [[np.exp(-40), -np.exp(-40)]], rtol=1e-12)


@pytest.mark.parametrize("name", ON_LOGITS)
@pytest.mark.parametrize("size", [100.0, 1e4])
def test_huge_logits_in_single_precision(name, size):
    z = np.array([[size, -size], [size, -size], [0, size]], np.float32)
    y = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, gradient = LOSSES[name](z, y)
    expected_value, expected_gradient = LOSSES[name](z.astype("float64"), y)
    assert np.isfinite(value) and value.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(value, expected_value, rtol=1e-6)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6, atol=1e-30)


def test_a_confident_right_logit_keeps_its_small_loss():
    value, gradient = binary_cross_entropy_with_logits(np.array([50.0, -50], np.float32), np.array([1, 0]))
    np.testing.assert_allclose(value, np.exp(-50), rtol=1e-6)  # all of it is below the last bit of 1
    np.testing.assert_allclose(gradient, [-np.exp(-50) / 2, np.exp(-50) / 2], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_at_probabilities_of_exactly_0_and_1(dtype):
    p, y = np.array([0, 1, 0, 1], dtype), np.array([0, 1, 1, 0], dtype)
    value, gradient = binary_cross_entropy(p, y)
    tangent = -np.log(1e-7) + 1  # of -ln at 1e-7, followed down to 0
    assert value == pytest.approx((0 + 0 + tangent + tangent) / 4, rel=1e-6)
    np.testing.assert_allclose(gradient, [1 / 4, -1 / 4, -1e7 / 4, 1e7 / 4], rtol=1e-6)
    assert binary_cross_entropy(p[:2], y[:2])[0] == 0  # right: no loss at all


@pytest.mark.parametrize("p", [0.0, 5e-8, 1 - 5e-8, 1.0])
@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_the_cross_entropy_gradient_is_that_of_the_value_beside_the_ends_too(p, y):
    _, gradient = binary_cross_entropy(np.array([p]), np.array([y]))
    h = 1e-9
    difference = (binary_cross_entropy(np.array([p + h]), np.array([y]))[0]
                  - binary_cross_entropy(np.array([p - h]), np.array([y]))[0]) / (2 * h)
    assert difference == pytest.approx(gradient[0], rel=1e-5)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "int8", "uint64"])
@pytest.mark.parametrize("xp", [np, array_api_strict])
def test_numbers_of_classes_are_one_hot_targets(xp, dtype):
    logits, labels = np.random.default_rng(3).normal(size=(5, 2, 4)), np.random.default_rng(4).integers(0, 4, (5, 2))
    expected = softmax_cross_entropy_with_logits(logits, np.eye(4)[labels])
    value, gradient = softmax_cross_entropy_with_logits(xp.asarray(logits), xp.asarray(labels.astype(dtype)))
    assert float(value) == expected[0]
    np.testing.assert_array_equal(np.asarray(gradient), expected[1])


def test_numbers_of_more_classes_than_a_byte_has():
    logits = np.random.default_rng(3).normal(size=(2, 300))
    value, _ = softmax_cross_entropy_with_logits(logits, np.array([7, 200], "uint8"))
    assert value == softmax_cross_entropy_with_logits(logits, np.eye(300)[[7, 200]])[0]


def test_numbers_that_no_class_has_are_refused():
    logits = np.zeros((3, 4))
    for labels, ends in (([0, 4, 1], "0 and 4"), ([-1, 2, 3], "-1 and 3")):
        with pytest.raises(ValueError, match=rf"the classes lie between {ends}; expected 0 to 3 for logits \(3, 4\)"):
            softmax_cross_entropy_with_logits(logits, np.array(labels))
    with pytest.raises(ValueError, match=r"the prediction is \(3, 4\) and the target \(3,\) of float64; expected int"):
        softmax_cross_entropy_with_logits(logits, np.zeros(3))
    with pytest.raises(ValueError, match=r"the prediction is \(3, 4\) and the target \(2,\)"):
        softmax_cross_entropy_with_logits(logits, np.zeros(2, int))


@pytest.mark.parametrize("omega", [0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("loss", [weighted_binary_cross_entropy, weighted_binary_cross_entropy_with_logits])
def test_weights_that_are_none_are_refused(loss, omega):
    with pytest.raises(ValueError, match=f"omega is {omega}; expected a number above 0"):
        loss(np.full((2, 2), 0.5), np.ones((2, 2)), omega)
