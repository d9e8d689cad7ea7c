"""Calibration: the figures by their definitions, bins of equal mass, intervals that cover."""
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from experiments.evaluation.calibration import calibration, equal_mass
from experiments.evaluation.intervals import mean


def drawn(generator, n, power=1.0):
    """Outputs, and cases that have the class with the probability output^power: calibrated for 1."""
    outputs = generator.random(n)
    return outputs, generator.random(n) < outputs**power, np.arange(n)


def test_the_figures_are_as_defined():
    outputs, positive, patients = drawn(np.random.default_rng(0), 237, 2)
    found = calibration(outputs, positive, patients)
    assert found.brier == pytest.approx(brier_score_loss(positive, outputs))
    assert found.no_skill == pytest.approx(brier_score_loss(positive, np.full(237, positive.mean())))
    error, order = 0, np.argsort(outputs)
    for part, each in zip(np.split(order, [237 * cut // 10 for cut in range(1, 10)]), found.bins, strict=True):
        error += len(part) / 237 * abs(outputs[part].mean() - positive[part].mean())
        assert (each.units, each.lowest, each.highest) == (len(part), outputs[part].min(), outputs[part].max())
        assert each.observed == pytest.approx(positive[part].mean()) and each.ci[0] <= each.observed <= each.ci[1]
    assert found.error == pytest.approx(error)


def test_the_error_by_chance_is_that_of_calibrated_outputs_and_a_wrong_scale_exceeds_it():
    generator = np.random.default_rng(1)
    found = [calibration(*drawn(generator, 200)) for _ in range(150)]
    by_chance = np.mean([each.by_chance for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(by_chance, rel=0.1)
    wrong = [calibration(*drawn(generator, 200, 3)) for _ in range(20)]
    assert all(each.error > 1.5 * each.by_chance for each in wrong)


def test_bins_have_like_sizes_and_equal_outputs_stay_together():
    outputs = np.random.default_rng(2).random(95)
    bins = equal_mass(outputs)
    assert len(bins) == 9 and {len(each) for each in bins} <= {10, 11}
    assert all(outputs[one].max() < outputs[other].min() for one, other in pairwise(bins))
    tied = np.repeat([0.1, 0.5, 0.9], [60, 5, 60])
    assert [set(tied[each]) for each in equal_mass(tied)] == [{0.1}, {0.5}, {0.9}]
    assert [len(each) for each in equal_mass(np.full(50, 0.3))] == [50] and len(equal_mass(outputs[:7])) == 1


@pytest.mark.parametrize(("positives", "negatives"), [(8, 36), (5, 200)])
def test_the_interval_of_the_brier_score_covers(positives, negatives):
    generator = np.random.default_rng(positives)

    def squares(number):
        """Of so many times the cases, whose outputs are a logistic function of normal scores."""
        truth = np.repeat([1, 0], [number * positives, number * negatives])
        outputs = 1 / (1 + np.exp(-2 * (generator.normal(size=len(truth)) + 1.2 * truth - 1)))
        return (outputs - truth) ** 2

    true = squares(10_000).mean()
    patients = positives + negatives
    found = [mean(squares(1), np.arange(patients), patients) for _ in range(300)]
    assert np.mean([each.low <= true <= each.high for each in found]) >= 0.92


def test_the_interval_of_a_mean_counts_patients_and_needs_differences():
    values = np.random.default_rng(3).random(30)
    one = mean(values, np.arange(30), 30)
    nine = mean(np.repeat(values, 9), np.repeat(np.arange(30), 9), 30)
    assert (nine.low, nine.high) == pytest.approx((one.low, one.high)) and one.low < values.mean() < one.high
    assert mean(np.full(5, 0.2), np.arange(5), 5).interval is None
    assert mean(values, np.zeros(30, int), 1).interval is None
    assert np.isnan(mean(values[:0], np.zeros(0, int), 3).value)
