import numpy as np
import pytest

from experiments.evaluation import roc


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
