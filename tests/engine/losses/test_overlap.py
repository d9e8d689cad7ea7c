"""Dice and sensitivity-specificity: empty, full and opposite masks."""
import numpy as np
import pytest

from engine.losses import dice, sensitivity_specificity

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


def test_the_share_of_sensitivity():
    p, y = np.array([[0.5, 0.25], [0.75, 0.5]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    assert sensitivity_specificity(p, y)[0] == pytest.approx((9 / 16 / 3 + 1 / 16) / 2, abs=1e-6)  # halves by default
    for rho in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=f"rho is {rho}; expected 0 to 1"):
            sensitivity_specificity(p, y, rho)
    assert sensitivity_specificity(p, y, 1)[0] == pytest.approx(3 / 16, abs=1e-6)
    assert sensitivity_specificity(p, y, 0)[0] == pytest.approx(1 / 16, abs=1e-6)
