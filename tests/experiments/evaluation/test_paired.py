"""The paired comparison: its figures, how often its intervals cover, and what must hold whatever the data."""
import numpy as np
import pytest
from scipy.stats import norm

from experiments.evaluation import evaluate, metrics, roc
from experiments.evaluation.aggregation import by_unit
from experiments.evaluation.paired import compare, verdict
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import Unit
from experiments.reporting.comparison import paired_sentences, paired_table
from experiments.system.errors import Failure

NAMES = ("one", "other")


def made(labels, patients, outputs):
    names = np.array([f"{i:04d}.png" for i in range(len(labels))])
    return ImagePredictions(names, np.array(patients, dtype=str), np.array(labels), outputs)


def noisy(labels, patients, signal, seed):
    outputs = np.random.default_rng(seed).random((len(labels), 3))
    outputs[np.arange(len(labels)), labels] += signal
    return made(labels, patients, (outputs / 2).astype(np.float32))


def drawn(images=60, seed=0):
    labels = np.random.default_rng(seed).integers(3, size=images)
    return labels, np.arange(images) // 2


def figures(given):
    """accuracy of three classes and mean, plain accuracy, AUROC of three classes and mean, from the images."""
    predicted = metrics.predicted_classes(given.probabilities)
    confusion = metrics.confusion_matrix(given.labels, predicted)
    accuracy, auroc = metrics.accuracy(metrics.one_vs_all(confusion)), roc.auroc(given.probabilities, given.labels)
    return np.array([*accuracy, accuracy.mean(), np.trace(confusion) / len(predicted), *auroc, auroc.mean()])


def listed(comparison, key):
    return [getattr(each, key) for each in (*comparison.accuracy.values(), comparison.plain_accuracy,
                                            *comparison.auroc.values())]


def test_the_figures_are_those_of_each_classifier_averaged_over_the_seeds():
    labels, patients = drawn()
    pairs = [[noisy(labels, patients, signal, 10 * seed + which) for which, signal in enumerate((0.4, 0.1))]
             for seed in range(2)]
    for seeds in (1, 2):
        found = compare([one for one, _ in pairs[:seeds]], [other for _, other in pairs[:seeds]], NAMES)
        for key, which in (("first", 0), ("second", 1)):
            np.testing.assert_allclose(listed(found, key), np.mean([figures(pair[which]) for pair in pairs[:seeds]], 0))
        np.testing.assert_allclose(listed(found, "difference"), np.subtract(listed(found, "first"),
                                                                            listed(found, "second")), atol=1e-12)


def test_a_classifier_does_not_differ_from_itself():
    one = noisy(*drawn(), 0.3, 1)
    found = compare([one], [one], NAMES)
    assert listed(found, "difference") == [0] * 9 and all(-0.1 < low <= 0 <= high < 0.1 for low, high in
                                                          listed(found, "ci"))
    assert set(listed(found, "verdict")) == {"the interval contains 0: not distinguishable"}


def test_exchanging_the_two_negates_the_difference():
    one, other = noisy(*drawn(), 0.5, 1), noisy(*drawn(), 0.1, 2)
    found, exchanged = compare([one], [other], NAMES), compare([other], [one], NAMES[::-1])
    np.testing.assert_array_equal(listed(found, "difference"), -np.array(listed(exchanged, "difference")))
    np.testing.assert_allclose(listed(found, "ci"), -np.array(listed(exchanged, "ci"))[:, ::-1], atol=1e-12)
    assert [text.replace("above", "below") for text in listed(found, "verdict")] == listed(exchanged, "verdict")


def test_images_are_matched_by_name_whatever_their_order():
    one, other = noisy(*drawn(), 0.5, 1), noisy(*drawn(), 0.1, 2)
    order = np.random.default_rng(4).permutation(60)
    shuffled = ImagePredictions(*(array[order] for array in (other.names, other.patients, other.labels,
                                                             other.probabilities)))
    assert compare([one], [shuffled], NAMES) == compare([one], [other], NAMES)


def test_other_images_labels_patients_and_classes_are_refused():
    labels, patients = drawn()
    one, fewer = noisy(labels, patients, 0.3, 0), noisy(labels[1:], patients[1:], 0.3, 0)
    with pytest.raises(Failure, match=r"not measured on the same images: 1 are in one test set only, 0059\.png"):
        compare([one], [fewer], NAMES)
    for changed in (noisy((labels + (np.arange(60) == 7)) % 3, patients, 0.3, 0),
                    noisy(labels, np.where(np.arange(60) == 7, 99, patients), 0.3, 0)):
        with pytest.raises(Failure, match=r"label or patient of 1 images, 0007\.png"):
            compare([one], [changed], NAMES)
    two = ImagePredictions(one.names, one.patients, one.labels % 2, one.probabilities[:, :2], ("cancer", "benign"))
    with pytest.raises(Failure, match="cannot be compared"):
        compare([one], [two], NAMES)
    assert list(compare([two], [two], NAMES).auroc) == ["cancer", "benign", "mean"]
    with pytest.raises(ValueError, match="got 2 and 1"):
        compare([one, one], [one], NAMES)


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    """150 test sets of 60 patients with 3 images each that share their difficulty; by image it covers too rarely."""
    generator = np.random.default_rng(0)
    rights = (0.75, 0.6)  # a patient's images are all right or all wrong
    covered = {"patient": 0, "image": 0}
    trials = 150
    for _ in range(trials):
        labels = generator.integers(3, size=180)
        outputs = []
        for right in rights:
            wrong = np.repeat(generator.random(60) > right, 3)
            outputs.append(np.eye(3, dtype=np.float32)[(labels + wrong) % 3])
        for unit, patients in (("patient", np.arange(180) // 3), ("image", np.arange(180))):
            found = compare([made(labels, patients, outputs[0])], [made(labels, patients, outputs[1])], NAMES)
            low, high = found.plain_accuracy.ci
            covered[unit] += low <= rights[0] - rights[1] <= high
    assert 0.93 <= covered["patient"] / trials <= 0.985
    assert covered["image"] / trials < 0.85


def test_the_interval_of_the_auroc_covers_too_and_is_narrower_than_two_unpaired_ones():
    generator = np.random.default_rng(1)
    shifts, trials, covered, widths = (1.5, 1.0), 120, 0, []
    true = float(norm.cdf(shifts[0] / np.sqrt(2)) - norm.cdf(shifts[1] / np.sqrt(2)))
    for _ in range(trials):
        labels = np.arange(90) % 3
        shared = generator.normal(size=90)  # what makes an image hard for both
        outputs = []
        for shift in shifts:
            score = shift * (labels == 0) + 0.8 * shared + 0.6 * generator.normal(size=90)
            outputs.append(np.column_stack([score, score, score]).astype(np.float32))
        one, other = (made(labels, np.arange(90), output) for output in outputs)
        ci = compare([one], [other], NAMES).auroc["cancer"].ci
        covered += ci[0] <= true <= ci[1]
        unpaired = [np.ptp(evaluate(each.probabilities, labels, each.patients).auroc_ci["cancer"])
                    for each in (one, other)]
        widths.append(np.ptp(ci) / np.hypot(*unpaired))
    assert 0.93 <= covered / trials <= 0.985
    assert np.mean(widths) < 0.8


def test_delongs_test_is_that_of_the_paper_and_stands_beside_the_aurocs():
    labels, _ = drawn()
    one, other = noisy(labels, np.arange(60), 0.4, 1), noisy(labels, np.arange(60), 0.1, 2)
    found = compare([one], [other], NAMES)
    positive, components = labels == 0, []
    for each in (one, other):
        scores = each.probabilities[:, 0]
        wins = (scores[positive][:, None] > scores[~positive]) * 1.0
        components.append((wins.mean(axis=1), wins.mean(axis=0)))
    variance = sum(np.var(np.subtract(*both), ddof=1) / len(both[0]) for both in zip(*components, strict=True))
    cancer = found.auroc["cancer"]
    assert cancer.delong.p == pytest.approx(2 * norm.sf(abs(cancer.difference) / np.sqrt(variance)))
    reach = norm.ppf(0.975) * np.sqrt(variance)
    assert cancer.delong.ci == pytest.approx([cancer.difference - reach, cancer.difference + reach])
    assert all(each.delong is not None for each in found.auroc.values())
    assert all(each.delong is None for each in (*found.accuracy.values(), found.plain_accuracy))
    assert compare([one], [one], NAMES).auroc["mean"].delong is None
    cells = next(row.cells for row in paired_table(found).rows if "DeLong" in row.label)
    assert cells[0] == f"p = {cancer.delong.p:.4f} [{cancer.delong.ci[0]:.3f}, {cancer.delong.ci[1]:.3f}]"


def test_repeated_images_do_not_make_delongs_test_surer():
    labels, _ = drawn()
    one, other = noisy(labels, np.arange(60), 0.4, 1), noisy(labels, np.arange(60), 0.1, 2)
    many = [made(np.repeat(labels, 9), np.repeat(np.arange(60), 9), np.repeat(each.probabilities, 9, axis=0))
            for each in (one, other)]
    p = compare([many[0]], [many[1]], NAMES).auroc["cancer"].delong.p
    assert p == pytest.approx(compare([one], [other], NAMES).auroc["cancer"].delong.p)


def test_units_are_named_and_not_mixed():
    labels, patients = drawn()
    given = noisy(labels, patients, 0.4, 1)
    one = by_unit(given, Unit("patient", "mean"))
    found = compare([one], [one], NAMES)
    assert paired_table(found).title == "one minus other: 30 test patients (mean over their images)"
    with pytest.raises(ValueError, match=r"of patients \(mean over their images\) and of images"):
        compare([one], [given], NAMES)


def test_seeds_are_averaged_and_each_may_have_its_own_test_patients():
    labels, patients = drawn()
    ones, others = ([noisy(labels, patients, signal, 5 * seed + which) for seed in range(3)]
                    for which, signal in enumerate((0.4, 0.2)))
    together = compare(ones, others, NAMES)
    alone = [compare([one], [other], NAMES) for one, other in zip(ones, others, strict=True)]
    assert together.seeds == 3 and together.patients == 30 and together.images == 180
    np.testing.assert_allclose(listed(together, "by_seed"), np.transpose([listed(one, "difference") for one in alone]))
    assert np.ptp(together.auroc["mean"].ci) < np.mean([np.ptp(one.auroc["mean"].ci) for one in alone])
    elsewhere = [noisy(labels, patients + 100, signal, 9) for signal in (0.4, 0.2)]
    apart = compare([ones[0], elsewhere[0]], [others[0], elsewhere[1]], NAMES)
    assert apart.patients == 60
    assert np.ptp(apart.auroc["mean"].ci) < np.ptp(alone[0].auroc["mean"].ci)


def test_an_absent_class_is_undefined_not_wrong():
    labels, patients = drawn()
    one, other = noisy(labels % 2, patients, 0.4, 0), noisy(labels % 2, patients, 0.2, 1)
    found = compare([one], [other], NAMES)
    assert found.auroc["benign"].verdict == found.auroc["mean"].verdict == (
        "undefined, since a class is absent")
    assert found.auroc["cancer"].ci is not None
    assert "n/a" in paired_table(found).rows[3].cells
    single = compare([noisy(labels, np.zeros(60), 0.4, 0)], [noisy(labels, np.zeros(60), 0.1, 1)], NAMES)
    assert single.accuracy["mean"].verdict == "no interval could be determined: nothing can be said"


@pytest.mark.parametrize(("difference", "ci", "by_seed", "text"), [
    (0.1, [-0.01, 0.2], [0.1], "the interval contains 0: not distinguishable"),
    (0.1, [0.0, 0.2], [0.1], "the interval contains 0: not distinguishable"),
    (0.1, [0.01, 0.2], [0.1], "the interval lies above 0: one is better, as far as one training of each can tell"),
    (-0.1, [-0.2, -0.01], [-0.1],
     "the interval lies below 0: other is better, as far as one training of each can tell"),
    (0.1, [0.01, 0.2], [0.1, 0.1],
     "the interval lies above 0: one is better on average over 2 seeds, and with every one"),
    (-0.1, [-0.2, -0.01], [-0.3, 0.1],
     "the interval lies below 0: other is better on average over 2 seeds, but not with every one"),
])
def test_the_verdict_is_no_surer_than_the_figures(difference, ci, by_seed, text):
    assert verdict(difference, ci, by_seed, NAMES) == text


def test_tables_and_sentences_state_the_figures():
    labels, patients = drawn(200)
    one, other = noisy(labels, patients, 0.9, 1), noisy(labels, patients, 0.1, 2)
    found = compare([one, one], [other, other], ("end-to-end", "decomposition"))
    table = paired_table(found)
    assert table.title == "end-to-end minus decomposition: 400 test images of 100 patients, mean of 2 seeds"
    assert table.columns == ("Cancer", "Normal", "Benign", "Mean")
    assert {len(row.cells) for row in table.rows} == {4}
    mean = found.auroc["mean"]
    row = next(row for row in table.rows if row.label == "AUROC, difference")
    assert row.cells[3] == f"+{mean.difference:.4f} [{mean.ci[0]:.3f}, {mean.ci[1]:.3f}]"
    text = " ".join(paired_sentences(found))
    assert "end-to-end is better on average over 2 seeds, and with every one" in text
    assert f"Difference of the mean AUROC: +{mean.difference:.4f}" in text
    assert "Plain accuracy, difference" in [row.label for row in table.rows]
