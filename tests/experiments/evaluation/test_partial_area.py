"""The partial area: scikit-learn's figure, an interval that covers, and what must hold whatever the scores."""
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from experiments.evaluation.intervals import partial_area


def scored(generator, positives, negatives, shift, images=1, spread=1.0):
    """Normal scores, those of the positives shifted and spread; two images of a patient correlate by one half."""
    owner = np.repeat(np.arange(positives + negatives), images)
    positive = owner < positives
    shared = 0 if images == 1 else 0.5
    scores = np.sqrt(shared) * generator.normal(size=positives + negatives)[owner]
    scores += np.sqrt(1 - shared) * generator.normal(size=len(owner))
    return np.where(positive, spread * scores + shift, scores), positive, owner, positives + negatives


def true_area(shift, spread=1.0, most=0.1):
    rates = most * (np.arange(100_000) + 0.5) / 100_000
    mean = np.mean(norm.cdf((shift + norm.ppf(rates)) / spread))
    return (1 + (mean - most / 2) / (1 - most / 2)) / 2


@pytest.mark.parametrize("rounded", [1, 8])
def test_it_is_scikit_learns(rounded):
    generator = np.random.default_rng(0)
    for _ in range(25):
        scores, positive, owner, patients = scored(generator, *generator.integers(1, 40, 2), 1.0)
        scores = np.round(scores, rounded)
        for most in (0.1, 0.37, 0.8):
            assert partial_area(scores, positive, owner, patients, most).value == pytest.approx(
                roc_auc_score(positive, scores, max_fpr=most), abs=1e-12)


@pytest.mark.parametrize(("shift", "spread"), [(0.0, 1), (1.2, 1), (2.3, 1), (3.3, 1), (1.9, 2)])
@pytest.mark.parametrize(("positives", "negatives", "images"), [(8, 36, 1), (5, 200, 1), (20, 40, 2)])
def test_the_interval_covers_for_few_cases(positives, negatives, images, shift, spread):
    generator, true = np.random.default_rng(positives), true_area(shift, spread)
    found = [partial_area(*scored(generator, positives, negatives, shift, images, spread)) for _ in range(120)]
    assert np.mean([each.low <= true <= each.high for each in found]) >= 0.92
    assert all(each.low < each.high <= 1 for each in found)


def test_the_variance_is_that_of_other_samples():
    """Of 2000 sets of 200 and 400 cases, where first order holds."""
    generator = np.random.default_rng(1)
    found = [partial_area(*scored(generator, 200, 400, 1.2)) for _ in range(400)]
    spread = np.std([each.value for each in found])
    expected = np.sqrt(np.mean([np.sum(each.influence**2) for each in found]))
    assert expected == pytest.approx(spread, rel=0.1)


def test_images_of_one_patient_are_not_independent():
    scores, positive, owner, patients = scored(np.random.default_rng(2), 20, 60, 1.5)
    few = partial_area(scores, positive, owner, patients)
    many = partial_area(np.repeat(scores, 9), np.repeat(positive, 9), np.repeat(owner, 9), patients)
    assert (many.low, many.high) == pytest.approx((few.low, few.high), abs=0.02)


def test_a_perfect_or_useless_order_has_an_interval_with_a_width():
    positive = np.arange(44) < 8
    perfect = partial_area(positive.astype(float), positive, np.arange(44), 44)
    assert (perfect.value, perfect.high) == (1, 1) and 0.6 < perfect.low < 0.9
    worst = partial_area(-positive.astype(float), positive, np.arange(44), 44)
    assert worst.value == worst.low == pytest.approx((1 - 0.1 / 1.9) / 2) and worst.high > 0.6
    alike = partial_area(np.zeros(44), positive, np.arange(44), 44)
    assert alike.value == pytest.approx(0.5) and alike.low < 0.5 < alike.high


def test_an_interval_near_the_end_is_not_blown_up():
    """One of 8 cases outranks all others but two: its variance is many times what a useless order would have."""
    positive = np.arange(44) < 8
    scores = np.where(positive, -1.0, np.linspace(0, 1, 44))
    scores[0] = 0.95
    found = partial_area(scores, positive, np.arange(44), 44)
    assert found.value < 0.49 and found.high < 0.72


def test_without_two_patients_of_each_kind_there_is_no_interval():
    scores, positive = np.arange(12.0), np.arange(12) > 5
    assert partial_area(scores, positive, np.where(positive, 0, np.arange(12)), 12).interval is None
    assert partial_area(scores, np.arange(12) == 3, np.arange(12), 12).interval is None
    for absent in (np.zeros(12, bool), np.ones(12, bool)):
        assert np.isnan(partial_area(scores, absent, np.arange(12), 12).value)
