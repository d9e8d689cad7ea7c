"""Every loss: its gradient against two kinds of differences, values by hand, its ends, and other array libraries."""
from functools import partial

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
every_loss = pytest.mark.parametrize("name", LOSSES)


def arguments(name, shape, seed, dtype="float64"):
    rng = np.random.default_rng(seed)
    # away from 0 and 1, where the third derivative of the logarithm makes central differences inexact
    prediction = rng.uniform(0.2, 0.8, shape) if name in ON_PROBABILITIES else rng.normal(0, 2, shape)
    return prediction.astype(dtype), rng.uniform(size=shape).astype(dtype)  # targets between 0 and 1 are allowed


@every_loss
@settings(derandomize=True, deadline=None, max_examples=15)
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple), seed=st.integers(0, 2**16))
def test_central_differences(name, shape, seed):
    prediction, target = arguments(name, shape, seed)
    prediction.flags.writeable = target.flags.writeable = False
    value, gradient = LOSSES[name](prediction, target)
    assert np.shape(value) == () and gradient.shape == shape
    h = 1e-5
    for index in np.ndindex(shape):
        step = np.zeros(shape)
        step[index] = h
        difference = (LOSSES[name](prediction + step, target)[0] - LOSSES[name](prediction - step, target)[0]) / (2 * h)
        assert abs(difference - gradient[index]) < 1e-8 * (1 + abs(difference))


@every_loss
def test_complex_step(name):
    prediction, target = arguments(name, (3, 4, 2), 5)
    if name in ON_LOGITS:
        prediction[0, 0, 0] = 0.0  # where softplus changes branches
    v = np.random.default_rng(6).standard_normal(prediction.shape)
    gradient = LOSSES[name](prediction, target)[1]
    derivative = LOSSES[name](prediction + 1e-200j * v, target)[0].imag / 1e-200
    assert derivative == pytest.approx(np.sum(gradient * v), rel=1e-13)


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_array_library_and_dtype_gives_the_same(name, dtype):
    prediction, target = arguments(name, (3, 4), 7, dtype)
    mask = target > 0.5
    value, gradient = LOSSES[name](array_api_strict.asarray(prediction), array_api_strict.asarray(mask))
    assert value.dtype == gradient.dtype == getattr(array_api_strict, dtype)
    expected_value, expected_gradient = LOSSES[name](prediction.astype("float64"), mask)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(float(value), expected_value, rtol=tolerance)
    np.testing.assert_allclose(np.asarray(gradient), expected_gradient, rtol=10 * tolerance, atol=tolerance)


@every_loss
def test_arrays_of_different_shapes_and_empty_batches_are_refused(name):
    with pytest.raises(ValueError, match=r"prediction is \(3, 1\) and the target \(3,\)"):
        LOSSES[name](np.ones((3, 1)), np.ones(3))
    with pytest.raises(ValueError, match="no elements"):
        LOSSES[name](np.ones((0, 2)), np.ones((0, 2)))


def test_values_and_gradients_by_hand():
    p, y = np.array([[0.5, 0.25], [0.75, 0.5]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    value, gradient = least_squares(p, y)  # squares 1/4, 1/16, 1/16, 1/4: 5/8, half of it, two samples
    assert value == 5 / 32
    assert np.array_equal(gradient, [[-1 / 4, 1 / 8], [-1 / 8, -1 / 4]])

    value, gradient = binary_cross_entropy(p, y)
    assert value == pytest.approx((np.log(2) + np.log(4 / 3) + np.log(4 / 3) + np.log(2)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-1, 2 / 3], [-2 / 3, -1]], rtol=1e-15)

    value, gradient = weighted_binary_cross_entropy(p, y, omega=2)
    assert value == pytest.approx((2 * np.log(2) + np.log(4 / 3) + 2 * np.log(4 / 3) + 2 * np.log(2)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-2, 2 / 3], [-4 / 3, -2]], rtol=1e-15)

    value, gradient = dice(p, y)  # A = 7/4, B = 5, C = 3/4, D = 3
    assert value == pytest.approx(1 - 7 / 20 - 1 / 4, abs=1e-6)
    np.testing.assert_allclose(gradient, [[7 / 100 - 1 / 5 - 1 / 12, 7 / 100 + 1 / 3 - 1 / 12],
                                          [7 / 100 - 1 / 5 - 1 / 12, 7 / 100 - 1 / 5 - 1 / 12]], atol=1e-6)

    value, gradient = sensitivity_specificity(p, y, rho=0.25)  # S = 9/16 over 3, T = 1/16 over 1
    assert value == pytest.approx(3 / 64 + 3 / 64, abs=1e-6)
    np.testing.assert_allclose(gradient, [[-1 / 12, 3 / 8], [-1 / 24, -1 / 12]], atol=1e-6)


def test_softmax_cross_entropy_by_hand():
    value, gradient = softmax_cross_entropy_with_logits(np.log([[1.0, 2, 5], [4, 3, 1]]), np.eye(3)[[2, 1]])
    assert value == pytest.approx((np.log(8 / 5) + np.log(8 / 3)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[1 / 16, 1 / 8, -3 / 16], [1 / 4, -5 / 16, 1 / 16]], rtol=1e-14)


def test_softmax_cross_entropy_of_a_sample_does_not_depend_on_the_others():
    logits = np.array([[2000.0, 2001, 2002], [0, 1, 2]])
    value, gradient = softmax_cross_entropy_with_logits(logits, np.eye(3)[[0, 0]])
    assert value == pytest.approx(np.log(np.exp([0, 1, 2]).sum()), rel=1e-14)
    np.testing.assert_allclose(gradient[0], gradient[1], rtol=1e-14)


def test_losses_of_logits_are_those_of_probabilities():
    z, y = arguments("logits", (4, 5), 8)
    p = 1 / (1 + np.exp(-z))
    for on_logits, on_probabilities in [
        (binary_cross_entropy_with_logits, binary_cross_entropy),
        (partial(weighted_binary_cross_entropy_with_logits, omega=3), partial(weighted_binary_cross_entropy, omega=3)),
        (from_logits(dice), dice),
    ]:
        value, gradient = on_probabilities(p, y)
        assert on_logits(z, y)[0] == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(on_logits(z, y)[1], gradient * p * (1 - p), rtol=1e-12)
    two = softmax_cross_entropy_with_logits(np.stack([z, 0 * z], -1), np.stack([y, 1 - y], -1))
    assert two[0] == pytest.approx(binary_cross_entropy_with_logits(z, y)[0], rel=1e-13)


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


SHAPE = (2, 8, 8, 1)
EMPTY, FULL = np.zeros(SHAPE, np.float32), np.ones(SHAPE, np.float32)
HALF = np.full(SHAPE, 0.5, np.float32)


@pytest.mark.parametrize(("mask", "prediction", "value"), [
    (EMPTY, EMPTY, -1 / 2),  # rewarded, though there is nothing to find (errata 11)
    (FULL, FULL, -1 / 2),
    (EMPTY, FULL, 1),
    (FULL, EMPTY, 1),
    (EMPTY, HALF, 1 - 1 / 3),
    (FULL, HALF, 1 - 1 / 3),
])
def test_dice_of_empty_and_full_masks(mask, prediction, value):
    measured, gradient = dice(prediction, mask)
    assert measured == pytest.approx(value, abs=1e-6)
    assert np.all(np.isfinite(gradient))
    assert np.all(np.sign(gradient) == (1 if mask is EMPTY else -1))  # towards the mask


def test_the_gradient_of_dice_at_an_empty_mask_is_what_the_documentation_says():
    _, at_zero = dice(EMPTY, EMPTY)
    _, at_half = dice(HALF, EMPTY)
    _, at_one = dice(FULL, EMPTY)
    np.testing.assert_allclose(at_zero, 1e6, rtol=1e-5)
    np.testing.assert_allclose(at_one, 1 / EMPTY.size, rtol=1e-5)
    assert 1 / (4 * EMPTY.size) < at_half.max() < 1 / EMPTY.size


def test_dice_is_0_for_a_perfect_and_1_for_the_opposite_prediction():
    mask = EMPTY.copy()
    mask[:, 2:4, 2:5] = 1
    assert dice(mask, mask)[0] == pytest.approx(0, abs=1e-6)
    assert dice(1 - mask, mask)[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("mask", "prediction", "value"), [
    (EMPTY, EMPTY, 0), (FULL, FULL, 0), (EMPTY, FULL, 0.8), (FULL, EMPTY, 0.2), (EMPTY, HALF, 0.2), (FULL, HALF, 0.05),
])
def test_sensitivity_specificity_of_empty_and_full_masks(mask, prediction, value):
    measured, gradient = sensitivity_specificity(prediction, mask, rho=0.2)
    assert measured == pytest.approx(value, abs=1e-6)
    assert np.all(np.isfinite(gradient))
    assert np.all(gradient * (prediction - mask) >= 0)


def test_the_printed_sensitivity_specificity_is_least_for_an_empty_prediction():
    """(3.49) as printed has (y p)^2 where A.3.5 has (y - p)^2 (errata 13)."""
    def printed(p, y, rho=0.5):
        return (rho * np.sum((y * p) ** 2 * y) / (np.sum(y) + 1e-6)
                + (1 - rho) * np.sum((y * p) ** 2 * (1 - y)) / (np.sum(1 - y) + 1e-6))

    mask = EMPTY.astype("float64")
    mask[:, 2:6, 2:6] = 1
    assert printed(0 * mask, mask) == 0 < printed(mask, mask)
    assert sensitivity_specificity(mask, mask)[0] == 0 < sensitivity_specificity(0 * mask, mask)[0]


PROBABILITY_LOSSES = {name: loss for name, loss in LOSSES.items() if name != "least squares"}
every_loss_of_probabilities = pytest.mark.parametrize("name", PROBABILITY_LOSSES)


@every_loss_of_probabilities
@pytest.mark.parametrize(("wrong", "range_"), [(255, "0 and 255"), (-0.5, "-0.5 and 0"), (1 + 2e-6, "0 and 1")])
def test_targets_outside_0_to_1_are_refused(name, wrong, range_):
    prediction, target = arguments(name, (3, 4), 9)
    target[...] = 0
    target[1, 2] = wrong
    with pytest.raises(ValueError, match=f"the target lies between {range_}; expected 0 to 1: take a mask's pixels"):
        LOSSES[name](prediction, target)
    if wrong == 255:
        with pytest.raises(ValueError, match="the target lies between 0 and 255"):
            LOSSES[name](prediction, target.astype("uint8"))
    with pytest.raises(ValueError, match="the target lies between"):
        LOSSES[name](prediction.astype("complex128"), target)


@pytest.mark.parametrize("name", [name for name in ON_PROBABILITIES if name != "least squares"])
@pytest.mark.parametrize(("wrong", "range_"), [(3.0, "0.5 and 3"), (-0.25, "-0.25 and 0.5")])
def test_probabilities_outside_0_to_1_are_refused(name, wrong, range_):
    prediction, target = np.full((2, 3), 0.5), np.ones((2, 3))
    prediction[1, 1] = wrong
    message = f"the prediction lies between {range_}; expected 0 to 1: apply a sigmoid, or use the loss's form with"
    for array in (prediction, prediction.astype("float32"), prediction + 1e-200j):
        with pytest.raises(ValueError, match=message):
            LOSSES[name](array, target)


@every_loss_of_probabilities
def test_probabilities_that_were_rounded_pass(name):
    prediction, target = arguments(name, (3, 4), 9)
    over = np.float32(1) + np.array([8e-7, -8e-7, 0, 0], np.float32)
    target[0], target[1] = over, -8e-7
    if name in ON_PROBABILITIES:
        prediction[0], prediction[1] = -8e-7, over
    value, gradient = LOSSES[name](prediction, target)
    assert np.isfinite(value) and np.isfinite(gradient).all()


@every_loss_of_probabilities
def test_a_nan_passes_into_the_value(name):
    """So that training can say where it arose."""
    for place in (0, 1):
        both = [array.copy() for array in arguments(name, (3, 4), 9)]
        both[place][1, 1] = np.nan
        assert np.isnan(LOSSES[name](*both)[0])


@every_loss
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16"])
def test_predictions_that_are_no_floats_are_refused(name, dtype):
    with pytest.raises(ValueError, match=f"the prediction is {dtype}; expected float32 or float64"):
        LOSSES[name](np.ones((2, 3), dtype), np.ones((2, 3)))


def test_a_target_that_can_be_reshaped_is_told_so():
    with pytest.raises(ValueError, match=r"a loss compares arrays of one shape: reshape one of them"):
        binary_cross_entropy_with_logits(np.ones((3, 1)), np.ones(3))
    with pytest.raises(ValueError, match=r"one shape: compare outputs and targets of one batch"):
        binary_cross_entropy_with_logits(np.ones((3, 1)), np.ones((4, 1)))


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


def test_the_share_of_sensitivity():
    p, y = np.array([[0.5, 0.25], [0.75, 0.5]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    assert sensitivity_specificity(p, y)[0] == pytest.approx((9 / 16 / 3 + 1 / 16) / 2, abs=1e-6)  # halves by default
    for rho in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=f"rho is {rho}; expected 0 to 1"):
            sensitivity_specificity(p, y, rho)
    assert sensitivity_specificity(p, y, 1)[0] == pytest.approx(3 / 16, abs=1e-6)
    assert sensitivity_specificity(p, y, 0)[0] == pytest.approx(1 / 16, abs=1e-6)
