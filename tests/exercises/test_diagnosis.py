"""What a wrong array has in common with the right one, and when an array is wrong at all."""
import numpy as np
import pytest

from exercises.comparing import problem
from exercises.diagnosis import FACTOR, facts, in_common
from exercises.exercise import Expected, Task
from exercises.tasks.differences import gradient
from exercises.tasks.layer import LayerTask

X = np.random.default_rng(0).standard_normal((2, 5, 6, 3))
TASK = LayerTask(lambda module, setup, dtype: None)


def said(got, value, name="dx", inputs=None, task=TASK):
    return facts(task, name, np.asarray(got), Expected(np.asarray(value), "the definition"), inputs or {"x": X})


def border(array):
    changed = array.copy()
    changed[:, 0, :, :] += 1
    return changed


@pytest.mark.parametrize(("got", "fact"), [
    (-X, "the sign is wrong everywhere"),
    (0.75 * X, "every entry is 0.75 times what is expected"),
    (X / 5, "every entry is divided by the size of the axis 'row'"),
    (3 * X, "every entry is multiplied by the size of the axis 'channel'"),
    (X + 2, "every entry is off by the same number: something is added that should not be, or is missing"),
    (X[:, ::-1], "it is mirrored: right if it is read backwards along 'row'"),
    (X[:, ::-1, ::-1], "it is mirrored: right if it is read backwards along 'row' and 'column'"),
    (X.transpose(0, 2, 1, 3), "it is transposed: its axes are in the order (sample, column, row, channel)"),
    (border(X), "only the border is wrong, the inside is right"),
    (border(X), "along 'row' only the first are wrong"),
    (0 * X, "all of it is 0"),
    (np.where(X > 2, np.nan, X), "it holds numbers that are not finite"),
    (X.sum(axis=(0, 1)), "it is the sum of x over 'sample' and 'row'"),
    (X.mean(axis=3), "it is the mean of x over 'channel'"),
])
def test_a_fact_is_found(got, fact):
    assert fact in said(got, X)


def test_entries_that_should_be_0_are_told_from_others():
    value = np.maximum(X, 0)
    assert "only entries that should be 0 are wrong" in said(np.abs(X), value)
    assert "only entries that should be 0 are wrong" not in said(X + 1, value)


def test_of_unrelated_numbers_nothing_is_said():
    assert said(np.random.default_rng(1).standard_normal(X.shape), X) == set()


def test_what_is_common_names_a_factor_once():
    same, other = (said(factor * X, X) for factor in (2, 7))
    assert in_common([same, same]) == {"every entry is 2 times what is expected",
                                       "every entry is multiplied by the size of the axis 'sample'"}
    assert in_common([same, other]) == {FACTOR}


def test_axes_have_numbers_where_a_task_does_not_name_them():
    class Plain(Task):
        pass

    assert "it is mirrored: right if it is read backwards along 'axis 1'" in said(X[:, ::-1], X, task=Plain())


def test_a_gradient_that_is_truly_0_may_be_0_or_rounded_but_not_small():
    array, weights = np.ones(4), np.full((3, 4), 1e3)
    expected = gradient(lambda: weights @ array - weights.sum(axis=1) + 7, np.zeros(2), np.ones(3))
    assert not expected.value.any() and expected.noise > 0
    assert not problem(np.zeros(2), expected) and not problem(np.full(2, 1e-12), expected)
    assert "entry [1] is 0.001, expected 0 by finite differences; wrong: 1 of 2" in problem(
        np.array([0.0, 1e-3]), expected)


@pytest.mark.parametrize(("got", "message"), [
    (np.zeros((3, 2)), "its shape is (3, 2), expected (2,)"),
    (np.zeros(2, np.float32), "its dtype is float32, expected float64"),
    (np.array([0, np.nan]), "entry [1] is nan, expected 1"),
    (np.array([0, 1 + 1e-6]), "entry [1] is 1, expected 1 by the definition; wrong: 1 of 2 entries"),
])
def test_a_problem_is_told_in_a_sentence(got, message):
    assert message in problem(got, Expected(np.array([0.0, 1.0]), "the definition"))


def test_labels_name_entries_and_bools_are_compared_as_they_are():
    expected = Expected(np.array([True, False]), "the gallery", labels=("right", "kernel not rotated"))
    assert not problem(np.array([True, False]), expected)
    assert "kernel not rotated is True, expected False by the gallery" in problem(np.array([True, True]), expected)


def test_all_labels_of_wrong_entries_are_named():
    labels = ("right", "kernel not rotated", "dW mirrored")
    said = problem(np.array([True, True, True]), Expected(np.array([True, False, False]), "the gallery", labels=labels))
    assert said.endswith("wrong: 2 of 3 entries, kernel not rotated; dW mirrored")


def test_differences_leave_the_array_as_it_was():
    array = np.array([0.3, 0.7])
    before = array.copy()
    found = gradient(lambda: array**3, array, np.array([1.0, 2.0]))
    assert np.array_equal(array, before)
    assert not problem(np.array([3 * 0.3**2, 6 * 0.7**2]), found)
