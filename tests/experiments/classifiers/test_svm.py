"""The support vector machine alone, on features whose right answer is known."""
import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_info, threadpool_limits

from experiments.classifiers import svm
from experiments.evaluation import metrics, roc
from experiments.system.errors import Failure

CLASSES = ("cancer", "normal", "benign")


def clusters(seed, images=240, features=6, apart=4.0):
    """Features around a centre for each class, labels, and patients of two images of one class."""
    generator = np.random.default_rng(seed)
    owner = np.arange(images) // 2
    labels = owner % 3
    return generator.normal(size=(images, features)) + apart * np.eye(features)[labels], labels, owner.astype(str)


def recall(outputs, labels):
    confusion = metrics.confusion_matrix(labels, metrics.predicted_classes(outputs))
    return metrics.recall(metrics.one_vs_all(confusion))


def test_plain_classes_are_told_apart():
    features, labels, patients = clusters(0)
    machine = svm.fit(features, labels, patients, CLASSES)
    new, truth, _ = clusters(1)
    outputs = machine.outputs(new)
    assert outputs.dtype == np.float32 and outputs.shape == (240, 3)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-6)
    assert recall(outputs, truth).min() > 0.95 and roc.auroc(outputs, truth).min() > 0.99
    assert 0 < machine.support_vectors < len(labels) and machine.folds == svm.FOLDS


def test_a_class_inside_a_ring_which_no_linear_layer_can_cut_out():
    generator = np.random.default_rng(2)
    owner = np.arange(240)
    labels = owner % 2
    angle, radius = generator.uniform(0, 2 * np.pi, 240), np.where(labels, 3.0, 0.5) + generator.normal(0, 0.2, 240)
    features = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    machine = svm.fit(features[:160], labels[:160], owner[:160].astype(str), CLASSES[:2])
    assert (metrics.predicted_classes(machine.outputs(features[160:])) == labels[160:]).mean() > 0.95


def marked_patients():
    """Features that tell the patient and nothing else; a patient's five images have the same label, drawn at random."""
    generator = np.random.default_rng(3)
    owner = np.repeat(np.arange(60), 5)
    labels = generator.permutation(np.arange(60) % 3)[owner]
    return (10 * generator.normal(size=(60, 8)))[owner] + 0.1 * generator.normal(size=(300, 8)), labels, owner


def test_patients_never_cross_folds(monkeypatch):
    """Folds by image, the wrong way, find the patient again and are sure of the class; folds by patient are not."""
    features, labels, owner = marked_patients()
    new = 10 * np.random.default_rng(4).normal(size=(200, 8))
    for fitted, asked in svm.folds_of(labels, owner.astype(str), CLASSES):
        assert not set(owner[fitted]) & set(owner[asked]) and len(fitted) + len(asked) == len(owner)
    weights, machine = svm.balanced(labels), svm.SVC(C=10, gamma=0.1)
    x = features / features.std(axis=0)
    by_patient = svm._score(machine, x, labels, weights, svm.folds_of(labels, owner.astype(str), CLASSES))
    right = svm.fit(features, labels, owner.astype(str), CLASSES).outputs(new)
    wrong_folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(features, labels))
    assert any(set(owner[fitted]) & set(owner[asked]) for fitted, asked in wrong_folds)
    by_image = svm._score(machine, x, labels, weights, wrong_folds)
    monkeypatch.setattr(svm, "folds_of", lambda *given: wrong_folds)
    wrong = svm.fit(features, labels, owner.astype(str), CLASSES).outputs(new)
    assert by_patient < 0.5 and by_image > 0.95
    assert right.max(axis=1).mean() < 0.5 < wrong.max(axis=1).mean()


def test_classes_count_alike_however_many_images_they_have():
    """Without a trace of the class no output leaves 1/3, though nine of ten images are of one class."""
    generator = np.random.default_rng(5)
    labels = np.array([1] * 180 + [0] * 10 + [2] * 10)
    features = generator.normal(size=(200, 4))
    outputs = svm.fit(features, labels, np.arange(200).astype(str), CLASSES).outputs(generator.normal(size=(300, 4)))
    np.testing.assert_allclose(outputs.mean(axis=0), 1 / 3, atol=0.15)
    np.testing.assert_allclose(np.bincount(labels, weights=svm.balanced(labels)), 200 / 3)


def test_one_thread_and_the_same_bits_again(monkeypatch):
    """Products in one order: where more threads were allowed before, not here."""
    score, seen = svm._score, []
    monkeypatch.setattr(svm, "_score", lambda *given: (seen.append(
        max(each["num_threads"] for each in threadpool_info())), score(*given))[1])
    features, labels, patients = clusters(6, apart=1.5)
    with threadpool_limits(2):
        found = [svm.fit(features, labels, patients, CLASSES).outputs(features) for _ in range(2)]
    assert set(seen) == {1} and found[0].tobytes() == found[1].tobytes()


def test_of_settings_that_do_equally_well_the_smoothest_is_taken():
    machine = svm.fit(*clusters(7, apart=30.0), CLASSES)
    assert machine.penalty == svm.PENALTIES[0] and machine.gamma == svm.WIDTHS[0] / 6


def test_features_that_never_vary_do_not_narrow_the_machine_and_nothing_at_all_is_no_error():
    features, labels, patients = clusters(8)
    dead = np.concatenate([features, np.zeros((240, 94))], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known, machine = (svm.fit(each, labels, patients, CLASSES) for each in (features, dead))
        nothing = svm.fit(np.zeros((240, 3)), labels, patients, CLASSES).outputs(np.zeros((4, 3)))
    assert machine.gamma == known.gamma
    np.testing.assert_allclose(machine.outputs(dead), known.outputs(features), atol=1e-5)
    np.testing.assert_allclose(nothing, 1 / 3, atol=0.05)


def test_two_classes():
    features, labels, patients = clusters(9)
    some = labels < 2
    outputs = svm.fit(features[some], labels[some], patients[some], CLASSES[:2]).outputs(features[some])
    assert outputs.shape == (some.sum(), 2) and (metrics.predicted_classes(outputs) == labels[some]).mean() > 0.95


def test_two_patients_of_a_class_are_the_fewest():
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    assert len(svm.folds_of(labels, np.array(list("aaabcdef")), CLASSES)) == 2
    with pytest.raises(Failure, match=r"--head svm: too few training patients \(1 cancer, 2 normal, 2 benign\)"):
        svm.folds_of(labels, np.array(list("aaaacdef")), CLASSES)


def test_folds_that_would_leave_a_class_out_of_what_is_fitted_to():
    """Here both patients with cancer stand in one fold."""
    labels, patients = np.array([0, 0, 1, 1, 2, 2]), np.array(list("abcdef"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(svm, "StratifiedGroupKFold", lambda folds: Together())
        with pytest.raises(Failure, match="too few training patients"):
            svm.folds_of(labels, patients, CLASSES)


class Together:
    def split(self, x, labels, patients):
        asked = np.array([0, 1, 2])
        yield np.setdiff1d(np.arange(len(labels)), asked), asked
