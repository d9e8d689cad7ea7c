"""Counts and ratios of a classifier, one class against the others: (3.44) to (3.48) and A.3.6.

A ratio 0/0 is undefined, for example the precision of a class that is never predicted: NaN in arrays, null in JSON,
"n/a" in tables. (A.3.6 adds 1e-6 below the line instead, which turns "no answer" into "always wrong".) A mean over the
classes is undefined as soon as one of them is: a mean of two classes cannot stand beside a mean of three.
"""
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Counts:
    """True and false positives and negatives: arrays of one shape, (C,) for C classes, integers. Batches are added."""

    tp: np.ndarray
    fp: np.ndarray
    tn: np.ndarray
    fn: np.ndarray

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.tn + other.tn, self.fn + other.fn)


def predicted_classes(probabilities: np.ndarray) -> np.ndarray:
    """(n,) int64: the class with the largest of (n, C) outputs, the first of equals, as top_k in A.3.6."""
    return np.argmax(probabilities, axis=1)


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int = 3) -> np.ndarray:
    """(C, C) int64: images of true class (row) for which the class of the column was predicted."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def one_vs_all(confusion: np.ndarray) -> Counts:
    """Each class in turn as the positive one, the others together as the negative one (A.3.6)."""
    tp = np.diag(confusion)
    fp = confusion.sum(axis=0) - tp
    fn = confusion.sum(axis=1) - tp
    return Counts(tp=tp, fp=fp, tn=confusion.sum() - tp - fp - fn, fn=fn)


def specificity(counts: Counts) -> np.ndarray:
    """TN/(TN+FP), (3.44): the share of the negatives that is recognised as such.

    The thesis prints this formula and tabulates TN/(TN+TP): see `experiments.evaluation.thesis`.
    """
    return ratio(counts.tn, counts.tn + counts.fp)


def recall(counts: Counts) -> np.ndarray:
    """TP/(TP+FN), (3.45), also called sensitivity: the share of the positives that is found."""
    return ratio(counts.tp, counts.tp + counts.fn)


def precision(counts: Counts) -> np.ndarray:
    """TP/(TP+FP), (3.46): the share of the positive answers that is right."""
    return ratio(counts.tp, counts.tp + counts.fp)


def fallout(counts: Counts) -> np.ndarray:
    """FP/(FP+TN), the false positive rate, 1 - specificity. (3.47) prints FP/(FP+TP), the false discovery rate."""
    return ratio(counts.fp, counts.fp + counts.tn)


def accuracy(counts: Counts) -> np.ndarray:
    """(TP+TN)/(TP+TN+FP+FN), (3.48)."""
    return ratio(counts.tp + counts.tn, counts.tp + counts.tn + counts.fp + counts.fn)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """float64, NaN where the denominator is 0."""
    numerator, denominator = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator != 0)
