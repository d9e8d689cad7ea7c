import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from experiments.evaluation import bootstrap, metrics, roc


def intervals(probabilities, labels, patients, seed=0, resamples=400):
    predicted = metrics.predicted_classes(probabilities)
    return bootstrap.intervals(probabilities, labels, predicted, patients, seed, resamples)


def noisy(images, seed=0, signal=0.3):
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=images)
    probabilities = generator.random((images, 3))
    probabilities[np.arange(images), labels] += signal
    return probabilities, labels


def test_areas_of_hand_computed_cases():
    positive = np.array([False, False, True, True])
    assert roc.one_vs_all_curve(np.array([1, 2, 3, 4]), positive).auroc == 1
    assert roc.one_vs_all_curve(np.array([4, 3, 2, 1]), positive).auroc == 0
    assert roc.one_vs_all_curve(np.array([1, 1, 1, 1]), positive).auroc == 0.5
    assert roc.one_vs_all_curve(np.array([1, 3, 2, 4]), positive).auroc == 0.75
    assert roc.one_vs_all_curve(np.array([1, 2, 2, 3]), positive).auroc == 0.875  # a tie counts half


def test_a_class_that_is_absent_or_alone_has_no_curve():
    assert roc.one_vs_all_curve(np.arange(3), np.zeros(3, bool)) is None
    assert roc.one_vs_all_curve(np.arange(3), np.ones(3, bool)) is None
    areas = roc.auroc(np.random.default_rng(0).random((6, 3)), np.array([0, 1, 0, 1, 0, 1]))
    assert np.isnan(areas).tolist() == [False, False, True]


def test_a_curve_runs_from_0_0_to_1_1():
    probabilities, labels = noisy(50)
    curve = roc.curves(probabilities, labels)[0]
    assert (curve.fallout[0], curve.recall[0], curve.fallout[-1], curve.recall[-1]) == (0, 0, 1, 1)
    assert curve.auroc == pytest.approx(np.trapezoid(curve.recall, curve.fallout))


def test_the_weighted_area_is_that_of_scikit_learn_and_of_repeated_images():
    generator = np.random.default_rng(1)
    scores, positive = generator.integers(8, size=80) / 8, generator.random(80) < 0.4  # many ties
    weights = generator.integers(4, size=(5, 80)).astype(float)
    areas = bootstrap.Ranking(scores, positive).auroc(weights)
    for area, weight in zip(areas, weights.astype(int), strict=True):
        assert area == pytest.approx(roc_auc_score(positive, scores, sample_weight=weight), abs=1e-14)
        assert area == pytest.approx(roc_auc_score(np.repeat(positive, weight), np.repeat(scores, weight)), abs=1e-14)


def test_the_weighted_area_is_undefined_without_positives_or_negatives():
    weights = np.array([[1.0, 1, 0], [0, 0, 1], [1, 0, 1]])
    areas = bootstrap.Ranking(np.array([1.0, 2, 3]), np.array([False, False, True])).auroc(weights)
    assert np.isnan(areas).tolist() == [True, True, False]


def test_intervals_depend_on_the_seed_alone_not_on_the_order_of_the_images_or_the_chunks(monkeypatch):
    probabilities, labels = noisy(60)
    patients = np.repeat(np.arange(20), 3)
    first, again = (intervals(probabilities, labels, patients, seed=5) for _ in range(2))
    order = np.random.default_rng(2).permutation(60)
    shuffled = intervals(probabilities[order], labels[order], patients[order], seed=5)
    monkeypatch.setattr(bootstrap, "CHUNK_ELEMENTS", 60 * 7)
    chunked = intervals(probabilities, labels, patients, seed=5)
    other = intervals(probabilities, labels, patients, seed=6)
    for name, expected in first.items():
        for same in (again, shuffled, chunked):
            np.testing.assert_array_equal(same[name], expected)
        assert not np.array_equal(other[name], expected)


def test_repeated_images_of_the_same_patients_do_not_shrink_the_interval():
    probabilities, labels = noisy(80)
    once = intervals(probabilities, labels, np.arange(80))
    repeated = np.repeat(probabilities, 9, axis=0), np.repeat(labels, 9)
    by_patient = intervals(*repeated, np.repeat(np.arange(80), 9))
    by_image = intervals(*repeated, np.arange(720))
    for name in ("accuracy", "auroc"):
        np.testing.assert_allclose(by_patient[name], once[name], rtol=1e-12)
        ratio = np.ptp(once[name], axis=1) / np.ptp(by_image[name], axis=1)
        assert np.all((ratio > 2.4) & (ratio < 3.7))  # sqrt(9) = 3


def test_the_interval_of_an_accuracy_is_near_the_binomial_one():
    probabilities, labels = noisy(2000)
    right = float(np.mean(np.argmax(probabilities, axis=1) == labels))
    low, high = intervals(probabilities, labels, np.arange(2000))["plain_accuracy"]
    half = 1.96 * np.sqrt(right * (1 - right) / 2000)
    assert low == pytest.approx(right - half, abs=0.15 * half) and high == pytest.approx(right + half, abs=0.15 * half)


def test_the_interval_of_the_mean_is_that_of_the_mean():
    probabilities, labels = noisy(60)
    found = intervals(probabilities, labels, np.arange(60))
    np.testing.assert_allclose(found["accuracy"][3], (1 + 2 * found["plain_accuracy"]) / 3, rtol=1e-12)


def test_a_class_that_most_resamples_lack_has_no_interval_and_a_single_patient_none_at_all():
    probabilities, labels = noisy(40)
    lonely = np.where(np.arange(40) == 0, 2, labels % 2)  # about 1 - 1/e of the resamples hold the one benign image
    found = intervals(probabilities, lonely, np.arange(40))
    assert np.isfinite(found["auroc"]).all()
    absent = intervals(probabilities, labels % 2, np.arange(40))
    assert np.isnan(absent["auroc"]).all(axis=1).tolist() == [False, False, True, True]
    assert np.isfinite(absent["accuracy"]).all()
    single = intervals(probabilities, labels, np.zeros(40))
    assert all(np.isnan(value).all() for value in single.values())


def test_an_interval_needs_half_of_the_resamples():
    column = np.linspace(0, 1, 100)[:, None].copy()
    column[:50] = np.nan
    assert np.isfinite(bootstrap.percentiles(column, patients=9)).all()
    column[50] = np.nan
    assert np.isnan(bootstrap.percentiles(column, patients=9)).all()
