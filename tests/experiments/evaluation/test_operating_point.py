"""The threshold is the largest that finds enough of the validation cases, and is judged elsewhere as it is."""
import numpy as np
import pytest

from experiments.evaluation.operating_point import operating_point, realised
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import IMAGES, Unit
from experiments.system.errors import Failure


def predicted(scores, cancer, patients=None, unit=IMAGES):
    n = len(scores)
    outputs = np.stack([scores, 1 - np.array(scores)], axis=1).astype(np.float32)
    return ImagePredictions(np.arange(n).astype(str), np.arange(n).astype(str) if patients is None else patients,
                            np.where(cancer, 0, 1), outputs, ("cancer", "benign"), unit=unit)


def drawn(seed, n=200, shift=1.5):
    generator = np.random.default_rng(seed)
    cancer = generator.random(n) < 0.3
    return predicted(1 / (1 + np.exp(-generator.normal(size=n) - shift * cancer)), cancer)


@pytest.mark.parametrize("sensitivity", [0.5, 0.9, 0.93, 1.0])
def test_it_is_the_largest_threshold_that_finds_enough(sensitivity):
    given = drawn(0)
    point = operating_point(given, sensitivity)
    scores, cancer = given.probabilities[:, 0], given.labels == 0
    reached = {float(threshold): np.mean(scores[cancer] >= threshold) for threshold in scores}
    assert point.threshold == max(threshold for threshold, share in reached.items() if share >= sensitivity)
    assert point.chosen_on.sensitivity == pytest.approx(reached[point.threshold]) and point.wanted == sensitivity


def test_nine_of_ten_are_nine_whatever_the_last_bit_of_the_share():
    for cases in (10, 20, 30, 70, 100):
        scores = np.linspace(0.1, 0.9, cases)
        point = operating_point(predicted(scores, np.ones(cases, bool)), 0.9)
        assert point.chosen_on.found == cases * 9 // 10


def test_what_it_gives_elsewhere_is_counted_with_intervals_by_patient():
    point = operating_point(predicted([0.9, 0.6, 0.5, 0.2], np.array([True, True, False, False])), 1)
    assert point.threshold == np.float32(0.6)
    scores, cancer = [0.6, 0.59, 0.9, 0.1, 0.2, 0.95], np.array([True, True, False, False, False, True])
    found = realised(point, predicted(scores, cancer, np.array(list("aabbcd"))))
    assert (found.positives, found.found, found.negatives, found.alarms) == (3, 2, 3, 1)
    assert found.sensitivity == pytest.approx(2 / 3) and found.specificity == pytest.approx(2 / 3)
    assert found.sensitivity_ci[0] < 2 / 3 < found.sensitivity_ci[1]
    alone = realised(point, predicted(scores[:2], cancer[:2]))
    assert alone.specificity is None and alone.specificity_ci is None and alone.sensitivity == 0.5


def test_its_interval_covers_what_is_true_of_the_threshold():
    point = operating_point(drawn(1))
    everybody = realised(point, drawn(2, 200_000))
    covered = []
    for seed in range(300):
        found = realised(point, drawn(10 + seed, 60))
        covered.append([low <= value <= high for value, (low, high) in (
            (everybody.sensitivity, found.sensitivity_ci), (everybody.specificity, found.specificity_ci))])
    assert (np.mean(covered, axis=0) >= 0.93).all()


def test_without_cancer_there_is_no_point_and_one_of_another_unit_is_not_used():
    with pytest.raises(Failure, match="none of the 4 validation images has cancer"):
        operating_point(predicted([0.1] * 4, np.zeros(4, bool)))
    for sensitivity in (0, 1.1):
        with pytest.raises(ValueError, match="expected a number above 0"):
            operating_point(drawn(0), sensitivity)
    given = drawn(0)
    with pytest.raises(ValueError, match=r"is of images, the predictions are of patients \(mean"):
        realised(operating_point(given), predicted([0.5], [True], unit=Unit("patient", "mean")))
