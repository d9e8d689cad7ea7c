"""Losses whose gradient is not that of their value."""
from functools import partial

import numpy as np
import pytest

from engine import losses
from engine.gradient_check import Loss

FLAT = (4, 6)


def entropy_of_the_sum(z, y):
    value, gradient = losses.binary_cross_entropy_with_logits(z, y)
    return value, gradient * len(z)


def dice_with_one_fraction(p, y):
    value, _ = losses.dice(p, y)
    a, b = (p * y).sum(), (p + y).sum()
    return value, -(y * b - a) / b ** 2


def least_squares_twice(p, y):
    value, gradient = losses.least_squares(p, y)
    return value, 2 * gradient


def logits_taken_for_probabilities(z, y):
    value, _ = losses.from_logits(losses.dice)(z, y)
    return value, losses.dice(z, y)[1]


def entropy_with_the_classes_exchanged(p, y):
    return losses.binary_cross_entropy(p, y)[0], losses.binary_cross_entropy(p, 1 - y)[1]


def entropy_weighted_on_the_other_class(p, y):
    value, _ = losses.weighted_binary_cross_entropy(p, y, 3.0)
    return value, ((1 - y) * 3 / (1 - p) - y / p) / len(p)


def entropy_averaged_over_classes(p, y):
    value, gradient = losses.binary_cross_entropy(p, y)
    return value / p.shape[-1], gradient


def softmax_for_targets_that_sum_to_one(z, y):
    value, _ = losses.softmax_cross_entropy_with_logits(z, y)
    e = np.exp(z - z.real.max(-1, keepdims=True))
    return value, (e / e.sum(-1, keepdims=True) - y) / len(z)


def least_squares_towards_the_other_side(p, y):
    value, gradient = losses.least_squares(p, y)
    return value, -gradient


def sensitivity_with_rho_on_the_other_term(p, y):
    return (losses.sensitivity_specificity(p, y, 0.3)[0], losses.sensitivity_specificity(p, y, 0.7)[1])


def dice_of_every_sample(p, y):
    """The batch's value, and the gradient of the mean over the samples."""
    value, _ = losses.dice(p, y)
    return value, np.stack([losses.dice(*sample)[1] for sample in zip(p, y, strict=True)]) / len(p)


GALLERY = [
    (entropy_of_the_sum, losses.binary_cross_entropy_with_logits),
    (dice_with_one_fraction, losses.dice),
    (least_squares_twice, losses.least_squares),
    (logits_taken_for_probabilities, losses.from_logits(losses.dice)),
    (entropy_with_the_classes_exchanged, losses.binary_cross_entropy),
    (entropy_weighted_on_the_other_class, partial(losses.weighted_binary_cross_entropy, omega=3.0)),
    (entropy_averaged_over_classes, losses.binary_cross_entropy),
    (softmax_for_targets_that_sum_to_one, losses.softmax_cross_entropy_with_logits),
    (least_squares_towards_the_other_side, losses.least_squares),
    (sensitivity_with_rho_on_the_other_term, partial(losses.sensitivity_specificity, rho=0.3)),
    (dice_of_every_sample, losses.dice),
]


@pytest.mark.parametrize(("wrong", "right"), GALLERY, ids=[wrong.__name__ for wrong, _ in GALLERY])
def test_every_check_catches_it(wrong, right, assert_caught):
    target = np.random.default_rng(1).integers(0, 2, FLAT).astype(float)
    assert_caught(Loss(wrong, target), Loss(right, target), FLAT, {"x"})
