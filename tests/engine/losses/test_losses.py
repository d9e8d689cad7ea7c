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
