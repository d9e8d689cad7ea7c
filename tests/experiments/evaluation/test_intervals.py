"""The intervals by patient: how often they cover, on simulated test sets, and what must hold whatever the data."""
import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score

from experiments.evaluation import metrics
from experiments.evaluation.intervals import Estimate, area, classifier_estimates, combine, proportion
from experiments.evaluation.intervals.area import hanley_mcneil

ENOUGH = 0.93  # of 95 %: what is left for the simulation's own scatter


def scored(generator, positives, negatives, value, kind="one image each"):
    """Normal scores with an area of `value`: of so many patients, whose two images correlate by one half."""
    images = 1 if kind == "one image each" else 2
    patients = positives + negatives
    owner = np.repeat(np.arange(patients), images)
    positive = owner < positives
    if kind == "one image of each class":
        positive = positive & (np.arange(len(owner)) % 2 == 0)
    shared = 0 if images == 1 else 0.5
    scores = np.sqrt(shared) * generator.normal(size=patients)[owner]
    scores += np.sqrt(1 - shared) * generator.normal(size=len(owner)) + np.sqrt(2) * norm.ppf(value) * positive
    return scores, positive, owner, patients


@pytest.mark.parametrize("kind", ["one image each", "two images", "one image of each class"])
@pytest.mark.parametrize("value", [0.5, 0.8, 0.95])
@pytest.mark.parametrize(("positives", "negatives"), [(8, 36), (20, 40), (5, 200)])
def test_the_interval_of_an_area_covers_for_few_cases(positives, negatives, value, kind):
    generator = np.random.default_rng(positives)
    found = [area(*scored(generator, positives, negatives, value, kind)) for _ in range(250)]
    assert np.mean([each.low <= value <= each.high for each in found]) >= ENOUGH
    assert all(0 <= each.low < each.value or each.low == each.value == 0 for each in found)
    assert all(each.value < each.high <= 1 or each.high == each.value == 1 for each in found)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
@pytest.mark.parametrize(("patients", "images"), [(10, 2), (22, 2), (22, 1), (60, 4)])
def test_the_interval_of_a_proportion_covers_for_few_cases(patients, images, share):
    generator = np.random.default_rng(patients)
    owner = np.repeat(np.arange(patients), images)
    found = []
    for _ in range(400):  # how likely a patient's images are right differs between patients: a correlation of one half
        likely = generator.beta(share, 1 - share, patients)
        found.append(proportion(generator.random(len(owner)) < likely[owner], owner, patients))
    assert np.mean([each.low <= share <= each.high for each in found]) >= ENOUGH


@pytest.mark.parametrize(("positives", "negatives"), [(8, 36), (5, 200)])
@pytest.mark.parametrize("values", [(0.8, 0.8), (0.95, 0.85), (0.8, 0.65)])
def test_the_interval_of_a_difference_of_areas_covers(positives, negatives, values):
    generator = np.random.default_rng(1)
    covered = []
    for _ in range(250):
        shared = generator.normal(size=positives + negatives)  # what makes a patient hard for both classifiers
        pair = []
        for value in values:
            scores, positive, owner, patients = scored(generator, positives, negatives, 0.5)
            scores = np.sqrt(0.6) * shared + np.sqrt(0.4) * scores + np.sqrt(2) * norm.ppf(value) * positive
            pair.append(area(scores, positive, owner, patients))
        found = combine(pair, [1, -1])
        covered.append(found.low <= values[0] - values[1] <= found.high)
    assert np.mean(covered) >= ENOUGH


@pytest.mark.parametrize("patients", [15, 45])
def test_the_interval_of_the_mean_area_covers(patients):
    """Three classes; what is true is measured on as many patients as one likes."""
    generator = np.random.default_rng(2)

    def drawn(number):
        labels = np.arange(number) % 3
        logits = generator.normal(size=(number, 3)) + 1.5 * np.eye(3)[labels]
        outputs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return outputs, labels, metrics.predicted_classes(outputs), np.arange(number), number

    outputs, labels, *_ = drawn(60_000)
    true = np.mean([roc_auc_score(labels == c, outputs[:, c]) for c in range(3)])
    found = [classifier_estimates(*drawn(patients)).auroc[3] for _ in range(200)]
    assert np.mean([each.low <= true <= each.high for each in found]) >= ENOUGH


def test_a_perfect_or_useless_classifier_has_an_interval_with_a_width():
    positive = np.arange(44) < 8
    perfect = area(positive.astype(float), positive, np.arange(44), 44)
    assert (perfect.value, perfect.high) == (1, 1) and perfect.low == pytest.approx(0.848, abs=0.001)
    worst = area(-positive.astype(float), positive, np.arange(44), 44)
    assert (worst.value, worst.low) == (0, 0) and worst.high == pytest.approx(1 - perfect.low)
    right = proportion(np.ones(22, bool), np.arange(22), 22)
    exact = binomtest(22, 22).proportion_ci(method="exact")
    assert (right.low, right.high) == pytest.approx((exact.low, exact.high))
    wrong = proportion(np.zeros(22, bool), np.arange(22), 22)
    assert (wrong.low, wrong.high) == pytest.approx((0, 1 - exact.low))


def test_the_ends_are_the_areas_that_chance_just_allows():
    """By direct search instead of root finding, at a variance that needs no widening."""
    scores, positive, owner, patients = scored(np.random.default_rng(5), 20, 40, 0.8)
    found = area(scores, positive, owner, patients)
    variance, supposed = np.sum(found.influence**2), hanley_mcneil(found.value, 20, 40)
    assert variance < 0.9 * supposed
    tried = np.linspace(0, 1, 10_001)
    reach = norm.ppf(0.975) * np.sqrt([hanley_mcneil(value, 20, 40) for value in tried])
    allowed = tried[np.abs(tried - found.value) <= reach]
    assert (found.low, found.high) == pytest.approx((allowed[0], allowed[-1]), abs=2e-4)


def test_scores_that_are_all_or_nothing_widen_the_interval():
    """Cases above all negatives or below them: their variance is several times Hanley and McNeil's."""
    positive = np.arange(60) < 20
    scores = np.where(positive, np.where(np.arange(60) % 10 < 7, 9.0, -9.0), np.random.default_rng(0).normal(size=60))
    found = area(scores, positive, np.arange(60), 60)
    assert found.value == pytest.approx(0.7)
    assert found.high - found.low > 2 * norm.ppf(0.975) * np.sqrt(0.7 * 0.3 / 20) > 1.4 * (
        2 * norm.ppf(0.975) * np.sqrt(hanley_mcneil(0.7, 20, 40)))


def test_the_variance_of_an_area_is_delongs_and_by_patient_obuchowskis():
    scores, positive, *_ = scored(np.random.default_rng(4), 9, 14, 0.7)
    scores = np.round(scores, 1)  # ties
    wins = (scores[positive][:, None] > scores[~positive]) + 0.5 * (scores[positive][:, None] == scores[~positive])
    by_image = area(scores, positive, np.arange(23), 23)
    delong = np.var(wins.mean(axis=1), ddof=1) / 9 + np.var(wins.mean(axis=0), ddof=1) / 14
    assert np.sum(by_image.influence**2) == pytest.approx(delong)
    assert by_image.value == pytest.approx(roc_auc_score(positive, scores))
    owner = np.arange(23) // 4  # 6 patients, one of them with images of both classes
    sums = [np.bincount(owner[of], shares - by_image.value, 6) for of, shares in (
        (positive, wins.mean(axis=1)), (~positive, wins.mean(axis=0)))]
    i, j = (len(np.unique(owner[of])) for of in (positive, ~positive))
    obuchowski = (i / (i - 1) * np.sum(sums[0]**2) / 9**2 + j / (j - 1) * np.sum(sums[1]**2) / 14**2
                  + 2 * np.sqrt(i * j / (i - 1) / (j - 1)) * np.sum(sums[0] * sums[1]) / 9 / 14)
    assert np.sum(area(scores, positive, owner, 6).influence**2) == pytest.approx(obuchowski)


def test_without_two_patients_of_each_kind_there_is_no_interval():
    scores, positive = np.arange(12.0), np.arange(12) > 5
    assert area(scores, positive, np.arange(12), 12).interval is not None
    for owner in (np.where(positive, 0, np.arange(12)), np.where(positive, np.arange(12), 0), np.zeros(12, int)):
        found = area(scores, positive, owner, 12)
        assert found.value == 1 and found.interval is None
    one = np.arange(12) == 3
    assert area(scores, one, np.arange(12), 12).interval is None
    for absent in (np.zeros(12, bool), np.ones(12, bool)):
        assert np.isnan(area(scores, absent, np.arange(12), 12).value)
    assert proportion(positive, np.zeros(12, int), 1).interval is None
    assert proportion(positive, np.zeros(12, int), 1).value == 0.5
    assert np.isnan(proportion(positive[:0], np.zeros(0, int), 3).value)


def test_repeated_images_of_the_same_patients_do_not_shrink_the_interval():
    generator = np.random.default_rng(5)
    scores, positive, owner, _ = scored(generator, 30, 50, 0.75)
    repeated, nine = [np.repeat(values, 9) for values in (scores, positive, owner)], np.arange(720)
    right = generator.random(80) < 0.7
    for of, (few, many) in {
            "area": (area(scores, positive, owner, 80), area(*repeated, 80)),
            "proportion": (proportion(right, owner, 80), proportion(np.repeat(right, 9), repeated[2], 80))}.items():
        assert (many.low, many.high) == pytest.approx((few.low, few.high), rel=1e-9), of
    by_image = area(repeated[0], repeated[1], nine, 720), proportion(np.repeat(right, 9), nine, 720)
    assert 2.4 < (few.high - few.low) / (by_image[1].high - by_image[1].low) < 3.7  # sqrt(9) = 3
    assert by_image[0].interval is not None


def test_many_images_of_one_patient_count_as_one():
    """A patient with half of the images is not half of the evidence."""
    generator = np.random.default_rng(6)
    owner = np.concatenate([np.zeros(40, int), np.arange(1, 41)])
    positive = np.concatenate([np.ones(40, bool), np.arange(40) < 10])
    scores = generator.normal(size=80) + positive
    even = area(scores, positive, np.concatenate([np.arange(40) % 11, 11 + np.arange(40)]), 80)
    uneven = area(scores, positive, owner, 80)
    assert uneven.high - uneven.low > 1.5 * (even.high - even.low)


def test_turning_the_scores_round_mirrors_the_interval_and_the_order_does_not_matter():
    scores, positive, owner, patients = scored(np.random.default_rng(7), 9, 25, 0.8, "two images")
    found, turned = area(scores, positive, owner, patients), area(-scores, positive, owner, patients)
    assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low))
    order = np.random.default_rng(8).permutation(len(scores))
    shuffled = area(scores[order], positive[order], owner[order], patients)
    assert (shuffled.low, shuffled.high) == pytest.approx((found.low, found.high))


def test_a_sum_of_independent_and_of_equal_figures():
    def estimate(influence):
        return Estimate(0.5, 0.4, 0.7, np.array(influence, dtype=float))

    one, other, same = estimate([1, -1, 0, 0]), estimate([0, 0, 1, -1]), estimate([2, -2, 0, 0])
    apart = combine([one, other], [1, -1])
    assert (apart.value, apart.low, apart.high) == pytest.approx((0, -np.hypot(0.1, 0.2), np.hypot(0.1, 0.2)))
    assert (combine([one, same], [0.5, 0.5]).low, combine([one, same], [0.5, 0.5]).high) == pytest.approx((0.4, 0.7))
    assert combine([one, same], [1, -1]).high == pytest.approx(0.1)  # what is lopsided in them does not cancel
    still = estimate([0, 0, 0, 0])
    assert combine([still, still], [0.5, 0.5]).low == pytest.approx(0.4)
    assert combine([still, still], [1, -1]).high == pytest.approx(np.hypot(0.1, 0.2))
    assert combine([one], [1]).interval == pytest.approx([0.4, 0.7])
    assert np.isnan(combine([one, Estimate(np.nan, np.nan, np.nan, np.zeros(4))], [1, 1]).value)


def test_the_mean_accuracy_is_that_of_the_classes():
    generator = np.random.default_rng(9)
    labels, outputs = generator.integers(3, size=60), generator.random((60, 3))
    found = classifier_estimates(outputs, labels, metrics.predicted_classes(outputs), np.arange(60) // 2, 30)
    *classes, mean = found.accuracy
    assert mean.value == pytest.approx(np.mean([each.value for each in classes]))
    assert mean.interval == pytest.approx([(1 + 2 * end) / 3 for end in found.plain.interval])
    np.testing.assert_allclose(mean.influence, np.mean([each.influence for each in classes], axis=0), atol=1e-15)
    assert len(found.listed) == 9


def test_an_area_has_the_digits_of_float64_whatever_the_scores_dtype():
    """One that is computed in float32, as libraries do for such scores, is off by a rounding of that."""
    rng = np.random.default_rng(3)
    scores, positive = rng.random(99).astype(np.float32), rng.random(99) < 0.4
    pairs = scores[positive][:, None] > scores[~positive][None]
    assert area(scores, positive, np.arange(99), 99).value == pytest.approx(pairs.mean(), rel=1e-14)
