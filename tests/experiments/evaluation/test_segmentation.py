from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, recall_score

from experiments.evaluation.segmentation import OVERLAP, overlap, overlap_accuracy, pixel_counts, summary

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.just(1))
SETTINGS = settings(deadline=None, derandomize=True)
pairs = SHAPES.flatmap(lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape)))


def image(*rows):
    """(1, h, w, 1) from text, # is lesion."""
    return np.array([[character == "#" for character in row] for row in rows])[None, ..., None]


MASK = image("##..", "##..", "....")
EMPTY, FULL = np.zeros_like(MASK), np.ones_like(MASK)
SHIFTED = image(".##.", ".##.", "....")


def test_counts_and_ratios_of_a_hand_computed_case():
    predicted = image(".##.", ".#..", "....")
    counts = pixel_counts(predicted, MASK)
    assert astuple(counts) == (2, 1, 7, 2)  # tp, fp, tn, fn
    assert summary(counts) == {"accuracy": 9 / 12, "precision": 2 / 3, "recall": 2 / 4}
    assert overlap(predicted, MASK).tolist() == [2 / 3]


def test_an_empty_prediction_has_a_high_accuracy_no_precision_and_finds_nothing():
    assert summary(pixel_counts(EMPTY, MASK)) == {"accuracy": 8 / 12, "precision": None, "recall": 0}
    assert overlap(EMPTY, MASK).tolist() == [0]


def test_a_prediction_that_covers_everything_finds_every_lesion_with_a_low_precision():
    assert overlap_accuracy(FULL, MASK).tolist() == [1]
    assert summary(pixel_counts(FULL, MASK)) == {"accuracy": 4 / 12, "precision": 4 / 12, "recall": 1}


def test_an_image_without_lesion_is_right_only_if_nothing_is_found_in_it():
    assert overlap(EMPTY, EMPTY).tolist() == [1]
    assert overlap(SHIFTED, EMPTY).tolist() == overlap(FULL, EMPTY).tolist() == [0]
    assert summary(pixel_counts(EMPTY, EMPTY)) == {"accuracy": 1, "precision": None, "recall": None}


def test_a_lesion_is_found_from_the_threshold_on():
    mask = np.zeros((3, 10, 1, 1), bool)
    mask[:, :5] = True
    predicted = np.zeros_like(mask)
    for place, right in enumerate((0, 1, 2)):  # of five predicted pixels
        predicted[place, 5 - right : 10 - right] = True
    assert overlap(predicted, mask).tolist() == [0, OVERLAP, 0.4]
    assert overlap_accuracy(predicted, mask).tolist() == [0, 1, 1]
    assert overlap_accuracy(predicted, mask, threshold=0.3).tolist() == [0, 0, 1]


@given(pairs)
@SETTINGS
def test_counts_and_ratios_are_those_of_scikit_learn(pair):
    predicted, mask = pair
    tn, fp, fn, tp = confusion_matrix(mask.ravel(), predicted.ravel(), labels=[False, True]).ravel()
    assert astuple(pixel_counts(predicted, mask)) == (tp, fp, tn, fn)
    expected = {"accuracy": accuracy_score(mask.ravel(), predicted.ravel())} | {
        name: function(mask.ravel(), predicted.ravel(), zero_division=np.nan)
        for name, function in (("precision", precision_score), ("recall", recall_score))}
    measured = {name: np.nan if value is None else value
                for name, value in summary(pixel_counts(predicted, mask)).items()}
    assert measured == pytest.approx(expected, rel=1e-12, nan_ok=True)


@given(pairs)
@SETTINGS
def test_counts_of_batches_add_up_to_those_of_all(pair):
    predicted, mask = pair
    total = pixel_counts(predicted[:1], mask[:1]) + pixel_counts(predicted[1:], mask[1:])
    assert astuple(total) == astuple(pixel_counts(predicted, mask))
    assert total.tp + total.fp + total.tn + total.fn == mask.size


@given(pairs)
@SETTINGS
def test_the_coefficient_is_symmetric_at_least_jaccard_s_and_1_exactly_for_subsets(pair):
    predicted, mask = pair
    coefficients = overlap(predicted, mask)
    np.testing.assert_array_equal(coefficients, overlap(mask, predicted))
    for coefficient, a, b in zip(coefficients, predicted, mask, strict=True):
        assert 0 <= coefficient <= 1
        if a.any() and b.any():
            assert coefficient >= (a & b).sum() / (a | b).sum()
            assert (coefficient == 1) == (not (a & ~b).any() or not (b & ~a).any())
            assert (coefficient == 0) == (not (a & b).any())
        else:
            assert coefficient == (not a.any() and not b.any())


@pytest.mark.parametrize("function", [pixel_counts, overlap, overlap_accuracy])
@pytest.mark.parametrize("predicted", [MASK[:, 1:], MASK.astype("float32"), np.repeat(MASK, 2, axis=0)])
def test_probabilities_and_other_shapes_are_refused(function, predicted):
    for pair in ((predicted, MASK), (MASK, predicted)):
        with pytest.raises(ValueError, match="expected bool of one shape"):
            function(*pair)
