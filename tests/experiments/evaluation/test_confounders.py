"""What gives the class away without the breast: found where it is there, not claimed where it is not."""
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from experiments import end2end
from experiments.datasets import synthetic
from experiments.evaluation import evaluate
from experiments.evaluation.confounders import BATCH, balanced_accuracy, confounders, features
from experiments.evaluation.results import ClassifierResults
from experiments.reporting.confounders import (
    classifier_table,
    confounders_section,
    confounders_sentences,
    sources_table,
)
from experiments.system.records import read_record

SIDE = 32
CLAIM = "give the class away in part"


class Made:
    """Images of noise in the form of a PreparedSet; draw(generator, label) -> (SIDE, SIDE) in [0, 1]."""

    classes = ("cancer", "normal", "benign")

    def __init__(self, draw, labels, sources=None, patients=None):
        self.labels = np.asarray(labels)
        self.patients = np.arange(len(labels)) // 2 if patients is None else patients
        self.sources = np.full(len(labels), "one") if sources is None else np.asarray(sources)
        generator = np.random.default_rng(len(labels))
        self._images = np.stack([draw(generator, label) for label in labels])[..., None].astype(np.float32)
        self.most = 0

    def images(self, indices):
        self.most = max(self.most, len(indices))
        return self._images[indices]


def noise(generator, label):
    return generator.random((SIDE, SIDE)) * generator.uniform(0.5, 1)


def brighter_border(generator, label):
    image = noise(generator, label)
    image[:, 0] += 0.05 * label  # one column, as a scanner leaves it
    return np.clip(image, 0, 1)


def darker_grey(generator, label):
    return noise(generator, label) ** (1 + 0.3 * (label == 1))


def lesion(generator, label):
    """The class is where a bright square lies, away from the border: a network sees it, the histogram does not."""
    image = 0.9 * noise(generator, label)
    row, column = ((4, 4), (4, 18), (18, 4))[label]
    image[row:row + 8, column:column + 8] = 0.95
    return image


def found_in(draw, shares=(1, 1, 1), seed=0, images=360, **more):
    generator = np.random.default_rng(seed)
    per_patient = generator.choice(3, size=images // 2, p=np.array(shares) / sum(shares))
    data = Made(lambda _, label: draw(generator, label), np.repeat(per_patient, 2), **more)
    train = np.arange(images) < 2 * images // 3
    return confounders(data, np.flatnonzero(train), np.flatnonzero(~train))


@pytest.mark.parametrize("draw", [brighter_border, darker_grey])
def test_a_class_that_shows_in_border_or_grey_levels_is_found(draw):
    found = found_in(draw)
    balanced = found.classifier.balanced_accuracy
    assert balanced.ci[0] > 1 / 3 + 0.1 and balanced.value > 0.5
    assert CLAIM in " ".join(confounders_sentences(found, 120))


@pytest.mark.parametrize(("draw", "shares"), [(noise, (1, 1, 1)), (noise, (1, 5, 1)), (lesion, (1, 1, 1))])
def test_nothing_is_claimed_where_there_is_nothing_or_only_what_a_network_may_use(draw, shares):
    found = [found_in(draw, shares, seed, images=240) for seed in range(6)]
    claims = sum(CLAIM in " ".join(confounders_sentences(one, 120)) for one in found)
    assert claims <= 1  # of 6, where 2.5 % are expected by chance
    values = [one.classifier.balanced_accuracy.value for one in found]
    assert abs(np.mean(values) - 1 / 3) < 3 * np.std(values, ddof=1) / np.sqrt(len(values))
    if shares == (1, 5, 1):  # the plain accuracy, which grows with the largest class, would be no evidence
        assert np.mean([one.classifier.accuracy.majority for one in found]) > 0.75


def test_what_marks_patients_but_not_classes_is_not_taken_for_a_confounder():
    """Every patient has a border of her own: learnt by heart on the training patients, useless on others."""
    def own_border(generator, label):
        image = noise(generator, label)
        image[:, 0] = generator.random()
        return image

    assert CLAIM not in " ".join(confounders_sentences(found_in(own_border), 120))


def test_the_test_images_take_no_part_in_the_fit():
    labels = np.repeat(np.random.default_rng(0).integers(3, size=90), 2)
    data = Made(brighter_border, labels)
    train, test = np.arange(120), np.arange(120, 180)
    first = confounders(data, train, test).classifier
    data.labels[test] = (data.labels[test] + 1) % 3
    second = confounders(data, train, test).classifier
    assert first.penalty == second.penalty
    assert first.balanced_accuracy.value > 0.5 > second.balanced_accuracy.value


def test_images_come_in_batches_and_the_features_are_what_they_are_called():
    data = Made(noise, np.zeros(150, int))
    data._images[3] = 0.5
    data._images[3, 0] = np.linspace(0, 1, SIDE)[:, None]  # upper border, one pixel wide at side 32
    table = features(data, np.arange(150))
    assert table.shape == (150, 52) and data.most == BATCH
    np.testing.assert_allclose(table[:, :32].sum(axis=1), 1)
    assert table[3, 16] >= 31 / 32
    values = np.linspace(0, 1, SIDE)
    np.testing.assert_allclose(table[3, 32:37], [0.5, values.std(), *np.percentile(values, (5, 50, 95))], atol=1e-6)
    np.testing.assert_allclose(table[3, 37:42], [0.5, 0, 0.5, 0.5, 0.5])  # lower border
    np.testing.assert_allclose(table[5, :32], np.histogram(data._images[5], 32, (0, 1))[0] / SIDE**2)
    np.testing.assert_allclose(table[5, [42, 47]], [data._images[5, :, 0].mean(), data._images[5, :, -1].mean()],
                               rtol=1e-6)


def test_balanced_accuracy_is_the_mean_recall_and_its_interval_follows_the_patients():
    generator = np.random.default_rng(0)
    labels = generator.choice(3, size=200, p=(0.2, 0.6, 0.2))
    predicted = np.where(generator.random(200) < 0.5, labels, generator.integers(3, size=200))
    found = balanced_accuracy(labels, predicted, np.arange(200), 3)
    assert found.value == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert found.low < found.value < found.high
    repeated = balanced_accuracy(np.repeat(labels, 4), np.repeat(predicted, 4), np.repeat(np.arange(200), 4), 3)
    assert (repeated.value, repeated.low, repeated.high) == pytest.approx((found.value, found.low, found.high))
    always = balanced_accuracy(labels, np.ones(200, int), np.arange(200), 3)
    assert always.value == pytest.approx(1 / 3) and always.low < 1 / 3 < always.high
    absent = balanced_accuracy(labels % 2, predicted, np.arange(200), 3)
    assert np.isnan(absent.value) and absent.interval is None


@pytest.mark.parametrize("per_class", [5, 15])
def test_the_interval_of_the_balanced_accuracy_covers_for_few_patients(per_class):
    generator = np.random.default_rng(per_class)
    labels, rights = np.repeat(np.arange(3), 2 * per_class), np.array([0.9, 0.6, 0.3])
    owner, covered = np.arange(len(labels)) // 2, []
    for _ in range(300):  # two images of each patient, half of them alike
        luck = generator.random(len(labels))
        luck[1::2] = np.where(generator.random(3 * per_class) < 0.5, luck[::2], luck[1::2])
        predicted = np.where(luck < rights[labels], labels, (labels + 1) % 3)
        found = balanced_accuracy(labels, predicted, owner, 3)
        covered.append(found.low <= rights.mean() <= found.high)
    assert np.mean(covered) >= 0.93


def test_too_few_patients_of_a_class_are_said_not_guessed():
    labels = np.array([0, 0, 1, 1, 2, 2] * 4)
    patients = np.where(labels == 2, 0, np.arange(24))
    found = confounders(Made(noise, labels, patients=patients), np.arange(12), np.arange(12, 24))
    assert found.classifier is None
    assert "fewer than two patients" in " ".join(confounders_sentences(found, 120))


def test_sources_are_tabled_by_class():
    labels = np.array([0, 0, 1, 1, 2, 2] * 4)
    sources = np.where(labels == 1, "DBA", "HOWTEK")
    found = confounders(Made(noise, labels, sources), np.arange(12), np.arange(12, 24))
    assert list(found.sources) == ["HOWTEK", "DBA"]
    table = sources_table(found.sources)
    assert table.columns == ("Cancer", "Normal", "Benign", "Total")
    assert [(row.label, row.cells) for row in table.rows] == [
        ("HOWTEK", ("8 (50 %)", "0 (0 %)", "8 (50 %)", "16")), ("DBA", ("0 (0 %)", "8 (100 %)", "0 (0 %)", "8"))]
    assert "of 2 sources" in confounders_sentences(found, 120)[0]
    many = confounders(Made(noise, labels, [f"s{i % 20}" for i in range(24)]), np.arange(12), np.arange(12, 24))
    rows = sources_table(many.sources).rows
    assert len(rows) == 13 and rows[-1].label == "8 others"
    assert sum(int(row.cells[-1]) for row in rows) == 24


def test_the_words_follow_the_interval():
    found = found_in(noise, images=120)
    for ci, words in (((0.4, 0.5), CLAIM), ((0.3, 0.5), "no confounder was found"), ((0.1, 0.2), "lies below that"),
                      (None, "No interval could be determined")):
        changed = replace(found, classifier=replace(found.classifier, balanced_accuracy=replace(
            found.classifier.balanced_accuracy, ci=ci)))
        assert words in confounders_sentences(changed, 120)[-1]
        assert ("44 test images are few" in confounders_sentences(changed, 44)[-1]) == (words == CLAIM)
    generator = np.random.default_rng(0)
    test = evaluate(generator.random((60, 3)), generator.integers(3, size=60), np.arange(60))
    table = classifier_table(found.classifier, test)
    assert table.rows[1].cells[0] == f"{test.recall['mean']:.4f}"
    assert table.rows[2].cells[0] == table.rows[3].cells[0] == "0.3333"
    assert len(confounders_section(found, test).tables) == 2


def test_a_run_on_real_data_has_the_section_and_its_numbers(finished):
    found = read_record(ClassifierResults, finished / "results.json").confounders
    assert list(found.sources.values()) == [{"cancer": 10, "normal": 10, "benign": 10}]
    for name in ("tables.md", "report.html"):
        text = (finished / name).read_text()
        assert "Confounders" in text and "Images by source (digitizer or collection) and class" in text
    assert f"{found.classifier.accuracy.value:.4f}" in (finished / "tables.md").read_text()


def test_a_run_on_synthetic_images_has_none(tmp_path, command, monkeypatch):
    drawn = synthetic.dataset(0, images=30, height=80)
    monkeypatch.setattr(synthetic, "dataset", lambda seed: drawn)
    code, _, errors = command(end2end.main, "--output", tmp_path / "run", "--cache", tmp_path / "cache", "--side", 32,
                              "--working-side", 64, "--width", 0.05, "--batch", 4, "--workers", 1, "--steps", 1)
    assert code == 0, errors
    assert read_record(ClassifierResults, tmp_path / "run" / "results.json").confounders is None
    assert "Confounders" not in (tmp_path / "run" / "report.html").read_text()
