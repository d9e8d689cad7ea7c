"""The split by patient."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.inputs import splitting
from experiments.inputs.splitting import DRAWN, OWN, require_all_classes, split, split_by_part
from experiments.system.errors import Failure


def population(generator, patients, images=4):
    owner = np.repeat(np.arange(patients), generator.integers(1, images + 1, size=patients))
    own = generator.choice(3, size=patients, p=[0.3, 0.4, 0.3])
    labels = np.where(generator.random(len(owner)) < 0.2, 1, own[owner])  # some have normal images beside
    return labels, np.char.add("p", owner.astype(str))


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(30, 300))
def test_every_split_is_by_patient_stratified_and_complete(seed, patients):
    labels, owners = population(np.random.default_rng(seed), patients)
    training, test = split(labels, owners, seed)
    assert not set(owners[training]) & set(owners[test])
    np.testing.assert_array_equal(np.sort(np.concatenate([training, test])), np.arange(len(labels)))
    for index in range(3):
        share = np.mean(labels[test] == index) * len(test) / np.sum(labels == index)
        assert abs(share - 0.2) <= 4.5 / np.sum(labels == index) + 0.02


def test_deterministic_and_different_by_seed():
    labels, owners = population(np.random.default_rng(0), 100)
    one, same, other = split(labels, owners, 5), split(labels, owners, 5), split(labels, owners, 6)
    np.testing.assert_array_equal(one[1], same[1])
    assert not np.array_equal(one[1], other[1])


def test_the_order_of_the_data_does_not_matter():
    labels, owners = population(np.random.default_rng(0), 100)
    shuffled = np.random.default_rng(1).permutation(len(labels))
    patients = set(owners[split(labels, owners, 3)[1]])
    assert set(owners[shuffled][split(labels[shuffled], owners[shuffled], 3)[1]]) == patients


def test_the_test_set_does_not_favour_patients_with_many_images():
    generator = np.random.default_rng(0)
    owners = np.repeat(np.arange(500).astype(str), np.where(np.arange(500) < 100, 8, 2))
    labels = generator.integers(0, 3, size=500)[np.unique(owners, return_inverse=True)[1]]
    of_many = [np.isin(owners[test], np.arange(100).astype(str)).mean()
               for test in (split(labels, owners, seed)[1] for seed in range(10))]
    assert np.mean(of_many) == pytest.approx(0.5, abs=0.05)


def test_tiny_classes_are_on_both_sides():
    labels = np.array([0, 0, 1, 1, 2, 2] + [1] * 20)
    owners = np.array([f"p{index}" for index in range(26)])
    for seed in range(20):
        training, test = split(labels, owners, seed)
        assert set(labels[training]) == set(labels[test]) == {0, 1, 2}


def defined(counts, fraction, order):
    """Which patients test, as `split` says it, in arrays: each goes there where that brings the shares nearer."""
    def far(held):
        return float(np.sum((held / counts.sum(axis=0) - fraction) ** 2))

    test = np.zeros(len(counts), dtype=bool)
    for patient in order:
        with_patient = test.copy()
        with_patient[patient] = True
        if far(counts[with_patient].sum(axis=0)) < far(counts[test].sum(axis=0)):
            test = with_patient
    return test


def test_patients_are_drawn_as_defined():
    for seed in range(20):
        generator = np.random.default_rng(seed)
        counts = generator.integers(0, 5, (int(generator.integers(30, 60)), 3)).astype(float)
        order = np.random.default_rng(seed).permutation(len(counts))
        drawn = splitting._draw_test_patients(counts, 0.2, np.random.default_rng(seed))
        np.testing.assert_array_equal(drawn, defined(counts, 0.2, order))


def test_one_and_two_classes_can_be_split():
    labels = np.array([0] * 40 + [2] * 20)
    owners = np.arange(60).astype(str)
    _, test = split(labels, owners, 0)
    assert np.bincount(labels[test]).tolist() == [8, 0, 4]
    assert len(split(np.zeros(10, dtype=int), np.arange(10).astype(str), 0)[1]) == 2


def test_a_class_with_one_patient():
    labels = np.array([0, 0, 0, 1, 1, 2, 2])
    owners = np.array(["a", "a", "a", "b", "c", "d", "e"])
    with pytest.raises(Failure, match=r"class 'cancer' has images of 1 patient.*Add images of another cancer patient"):
        split(labels, owners, 0)


def test_patients_who_cannot_be_divided():
    labels = np.array([0, 1, 1, 2, 2, 0])  # three patients, each with two classes: one side always lacks a class
    owners = np.array(["a", "a", "b", "b", "c", "c"])
    with pytest.raises(Failure, match="no split of these 3 patients"):
        split(labels, owners, 0)


def test_classification_needs_every_class():
    require_all_classes(np.array([0, 1, 2]))
    require_all_classes(np.array([0, 1]), ("cancer", "benign"))
    with pytest.raises(Failure, match=r"hold 2 cancer, 0 normal, 1 benign images.*3 classes.*--normals.*--classes 2"):
        require_all_classes(np.array([0, 0, 2]))
    with pytest.raises(Failure, match=r"hold 2 cancer, 0 benign images.*tells 2 classes.*Add images"):
        require_all_classes(np.array([0, 0]), ("cancer", "benign"))


def test_the_split_does_not_depend_on_the_numbers_of_the_classes():
    generator = np.random.default_rng(3)
    labels, owners = generator.integers(2, size=60), np.array([f"p{index // 2}" for index in range(60)])
    two, three = split(labels, owners, 4, classes=("cancer", "benign")), split(labels * 2, owners, 4)
    assert all(np.array_equal(one, other) for one, other in zip(two, three, strict=True))


def told(owners):
    """A part for each image, as if the set had a split of its own that no draw gives: the last patients test."""
    last = np.unique(owners)[-len(np.unique(owners)) // 3:]
    return np.where(np.isin(owners, last), "test", "training")


def test_the_own_split_of_a_set_is_kept_whatever_the_seed():
    labels, owners = population(np.random.default_rng(1), 60)
    parts = told(owners)
    for seed in range(3):
        found = split_by_part(labels, owners, parts, seed)
        np.testing.assert_array_equal(found.train, np.flatnonzero(parts == "training"))
        np.testing.assert_array_equal(found.test, np.flatnonzero(parts == "test"))
        assert (found.kept, found.drawn, found.said) == (60, 0, OWN)
    assert found.notes == ["Training and test set are those that the data set itself tells, whatever the seed."]


def test_without_a_split_of_its_own_it_is_drawn_as_ever():
    labels, owners = population(np.random.default_rng(2), 60)
    found = split_by_part(labels, owners, np.full(len(labels), ""), 3)
    for one, other in zip((found.train, found.test), split(labels, owners, 3), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (found.said, found.notes, found.kept) == (DRAWN, [], 0)


def test_patients_of_no_part_are_drawn_and_the_others_stay():
    labels, owners = population(np.random.default_rng(3), 60)
    more, other_owners = np.ones(40, dtype=int), np.char.add("other", (np.arange(40) // 2).astype(str))
    parts = np.concatenate([told(owners), np.full(40, "")])
    labels, owners = np.concatenate([labels, more]), np.concatenate([owners, other_owners])
    found, again = (split_by_part(labels, owners, parts, seed) for seed in (0, 1))
    for each in (found, again):
        np.testing.assert_array_equal(np.sort(np.concatenate([each.train, each.test])), np.arange(len(labels)))
        assert (np.diff(each.train) > 0).all() and (np.diff(each.test) > 0).all()
        assert set(parts[each.train]) == {"training", ""} and set(parts[each.test]) == {"test", ""}
        assert not set(owners[each.train]) & set(owners[each.test])
    assert not np.array_equal(found.test, again.test)
    drawn = split(more, other_owners, 0)[1]
    np.testing.assert_array_equal(found.test[found.test >= len(parts) - 40], drawn + len(parts) - 40)
    assert (found.kept, found.drawn) == (60, 20)
    assert found.said == "its own for 60 patients, drawn by the seed for 20" and "other 20" in found.notes[0]


def test_an_image_of_no_part_goes_where_its_patient_is():
    labels, owners = np.array([0, 0, 0, 0, 0]), np.array(["a", "a", "b", "c", "c"])
    found = split_by_part(labels, owners, np.array(["test", "", "training", "", "training"]), 0)
    assert (found.train.tolist(), found.test.tolist(), found.drawn) == ([2, 3, 4], [0, 1], 0)


def test_a_patient_in_both_parts_of_the_own_split():
    labels, owners = np.zeros(4, dtype=int), np.array(["b", "a", "b", "c"])
    with pytest.raises(Failure, match="has 1 of its patients in both parts, training and test, the first is b:"):
        split_by_part(labels, owners, np.array(["training", "test", "test", "training"]), 0)


@pytest.mark.parametrize(("parts", "message"), [
    (["training", "training", "training", "test"], "class 'normal' has no images in the test part"),
    (["test", "training", "training", "test"], "class 'cancer' has no images in the training part"),
    (["test"] * 4, "class 'cancer' has no images in the training part")])
def test_the_own_split_lacks_a_class(parts, message):
    with pytest.raises(Failure, match=message):
        split_by_part(np.array([0, 1, 1, 0]), np.array(["a", "b", "c", "d"]), np.array(parts), 0)
