import numpy as np
import pytest

from experiments.evaluation.intervals import combine, proportion
from experiments.evaluation.unpaired import Figure, unpaired


def figure(estimate):
    return Figure(estimate.value, estimate.interval)


def test_it_is_the_difference_of_figures_that_share_no_patient():
    generator = np.random.default_rng(0)
    first, second = generator.random(20) < 0.9, generator.random(50) < 0.6
    apart = [proportion(first, np.arange(20), 70), proportion(second, np.arange(20, 70), 70)]
    expected = combine(apart, [-1, 1])
    found = unpaired(*map(figure, apart))
    assert found.difference.value == pytest.approx(expected.value) == pytest.approx(second.mean() - first.mean())
    assert found.difference.ci == pytest.approx(expected.interval)


def test_by_hand():
    found = unpaired(Figure(0.5, (0.2, 0.6)), Figure(0.7, (0.3, 0.9)))
    assert found.difference.value == pytest.approx(0.2)
    assert found.difference.ci == pytest.approx((0.2 - np.hypot(0.4, 0.1), 0.2 + np.hypot(0.2, 0.3)))


def test_what_is_undefined():
    assert unpaired(Figure(None, None), Figure(0.5, (0.1, 0.9))).difference == Figure(None, None)
    assert unpaired(Figure(0.25, None), Figure(0.5, (0.1, 0.9))).difference == Figure(0.25, None)


def test_coverage():
    """Of 400 pairs of test sets with 10 and 40 patients the interval holds the true difference in 93 % or more."""
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        sets = [generator.random(number) < share for number, share in ((10, 0.9), (40, 0.6))]
        own, other = (figure(proportion(each, np.arange(len(each)), len(each))) for each in sets)
        low, high = unpaired(own, other).difference.ci
        held += low <= -0.3 <= high
    assert held >= 372
