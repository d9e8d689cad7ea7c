"""Chapter 2's other way to classify by a network's features: a support vector machine (Arevalo et al. 2015).

    decision      sum_i a_i exp(-gamma |x - x_i|^2) + b, of each pair of classes; from these one for each class
    output        1 / (1 + exp(A d + B)) of a class's decision d, divided by their sum over the classes (Platt 1999)

The classes count alike, however many images they have, as in the network's batches: an image of class c weighs
N/(C N_c) in the machine and in Platt's fit, so that the two answer the same question. Features are standardized by the
training images' means and deviations. C, gamma and then A and B are found by cross-validation over the patients of the
training images: those of one patient are never both fitted to and asked. Nothing is drawn at random.
"""
from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import product

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from experiments.system.durations import seconds_of
from experiments.system.errors import Failure
from experiments.system.progress import over

FOLDS = 5
PENALTIES = (0.1, 1.0, 10.0, 100.0)  # C; the smoothest machine first
WIDTHS = (0.1, 1.0, 10.0)  # gamma times the number of features that vary: |x - x_i|^2 grows with it
SETTINGS = tuple(product(PENALTIES, WIDTHS))
DIGITS = 9  # scores that differ in rounding alone are equal: the smoother machine is taken
FEW = 256  # images that the time is measured on
Fold = tuple[np.ndarray, np.ndarray]  # indices of the images to fit to, of the images to ask


@dataclass(frozen=True)
class SupportVectorMachine:
    """scaler, model    fitted    penalty, gamma    C and gamma, chosen    folds    of the cross-validation"""

    scaler: StandardScaler
    model: CalibratedClassifierCV
    penalty: float
    gamma: float
    folds: int

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """(n, C) float32 from (n, F): of each image they add up to 1."""
        with threadpool_limits(1):
            return self.model.predict_proba(self.scaler.transform(features)).astype(np.float32)

    @property
    def support_vectors(self) -> int:
        """How many of the training images the machine consists of."""
        return len(self.model.calibrated_classifiers_[0].estimator.support_)


def fit(features: np.ndarray, labels: np.ndarray, patients: np.ndarray, classes: tuple[str, ...]
        ) -> SupportVectorMachine:
    """To the training images: (n, F) finite floats, (n,) int, (n,) str. Raises Failure as `folds_of`.

    Time grows with n^2 F. Memory: the features in float64 a few times, and 200 MB in which libsvm keeps products.
    """
    folds, weights = folds_of(labels, patients, classes), balanced(labels)
    scaler = StandardScaler()
    with threadpool_limits(1):  # sums in one order, the same bits everywhere
        x = scaler.fit_transform(features)
        varying = max(1, int(np.count_nonzero(scaler.var_)))
        scores = [_score(SVC(C=penalty, gamma=width / varying), x, labels, weights, folds)
                  for penalty, width in over(SETTINGS, "Support vector machine", "setting", leave=False)]
        penalty, width = SETTINGS[int(np.argmax(scores))]  # the first of equals
        model = CalibratedClassifierCV(SVC(C=penalty, gamma=width / varying), method="sigmoid", cv=folds,
                                       ensemble=False)
        model.fit(x, labels, sample_weight=weights)
    return SupportVectorMachine(scaler, model, penalty, width / varying, len(folds))


def seconds(images: int, features: int) -> float:
    """What `fit` is expected to take, measured on a few drawn images with a class each on an axis of its own; within a
    factor of two of what real features took."""
    labels = np.arange(FEW) % 3
    x = np.random.default_rng(0).normal(size=(FEW, features))
    x[np.arange(FEW), labels % features] += 3
    with threadpool_limits(1):
        one = min(seconds_of(lambda: SVC(gamma=WIDTHS[0] / features).fit(x, labels)) for _ in range(2))
    return one * (images * (1 - 1 / FOLDS) / FEW) ** 2 * (len(SETTINGS) + 2) * FOLDS


def folds_of(labels: np.ndarray, patients: np.ndarray, classes: tuple[str, ...]) -> list[Fold]:
    """By patient, with like shares of the classes; every class is among the images to fit to. Raises Failure where the
    patients are too few for that."""
    fewest = min(len(np.unique(patients[labels == c])) for c in range(len(classes)))
    folds = [] if fewest < 2 else list(
        StratifiedGroupKFold(min(FOLDS, fewest)).split(np.zeros(len(labels)), labels, patients))
    lacking = next((c for c in range(len(classes)) if fewest < 2 or any(
        c not in labels[fitted] for fitted, _ in folds)), None)
    if lacking is not None:
        by_class = ", ".join(f"{len(np.unique(patients[labels == c]))} {name}" for c, name in enumerate(classes))
        raise Failure(f"--head svm: too few training patients ({by_class}) to find the machine's parameters by "
                      "cross-validation over them. Leave it out, or add patients")
    return folds


def balanced(labels: np.ndarray) -> np.ndarray:
    """(n,) float64: N/(C N_c), the weight of each image; all classes weigh the same."""
    counts = np.bincount(labels)
    return (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[labels]


def _score(machine: SVC, x: np.ndarray, labels: np.ndarray, weights: np.ndarray, folds: list[Fold]) -> float:
    """The balanced accuracy (mean recall) on the patients that it was not fitted to, mean of the folds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of small folds that lack a class: they count for those they have
        scores = cross_val_score(machine, x, labels, scoring="balanced_accuracy", cv=folds,
                                 params={"sample_weight": weights})
    return round(float(scores.mean()), DIGITS)
