"""Does something other than the breast give the class away? Digitizers and collections leave traces in an image.

A classifier that sees no anatomy, only how frequent each grey level is and how bright the outermost pixels are, is
trained and tested on the same split as the network. Its measure is the balanced accuracy, the mean recall of the
classes: whoever ignores the image reaches 1/C in it, by guessing as by always giving the most frequent answer. The
plain accuracies have no such level, they grow with the share of the largest class; they stand beside it.
"""
from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from experiments.evaluation import guesser, metrics, roc
from experiments.evaluation.intervals import Estimate, Interval, classifier_estimates, combine, proportion
from experiments.evaluation.per_class import none_if_nan
from experiments.inputs.image_set import PreparedSet
from experiments.system.progress import over

BINS = 32  # of the histogram, from 0 to 1
BORDER = 32  # the border is side/32 pixels wide
PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)  # C of the logistic regression, the strongest penalty first
FOLDS = 5
BATCH = 64  # images in memory at once


@dataclass(frozen=True, slots=True)
class BesideGuessing:
    """A measure on the test images, None where undefined, its 95 % interval by patient, and what reaches as much
    without any image: the uniform guesser (footnote 5), and always answering the most frequent class."""
    value: float | None
    ci: Interval | None
    guesser: float
    majority: float


@dataclass(frozen=True, slots=True)
class BlindClassifier:
    """The classifier that sees no anatomy, measured on the test images.

    balanced_accuracy    mean recall             accuracy    one-vs-all mean (3.48)            auroc    mean
    penalty              C of the logistic regression, chosen on the training split
    """
    balanced_accuracy: BesideGuessing
    accuracy: BesideGuessing
    auroc: BesideGuessing
    penalty: float


@dataclass(frozen=True, slots=True)
class Confounders:
    """sources       source -> class -> number of images, of both splits; the largest source first
    classifier    None where a class has training images of fewer than two patients
    """
    sources: dict[str, dict[str, int]]
    classifier: BlindClassifier | None


def confounders(data: PreparedSet, train: np.ndarray, test: np.ndarray) -> Confounders:
    """What the class can be guessed from without looking at the breast.

    Everything is fitted on the training split alone, the strength of the penalty by cross validation over its patients.
    """
    return Confounders(_sources(data), _classifier(data, train, test))


def features(data: PreparedSet, indices: np.ndarray) -> np.ndarray:
    """(n, 32 + 4 x 5) float64: the share of the pixels in each of 32 grey levels; of the upper, lower, left and right
    border the mean, the standard deviation and the 5, 50 and 95 percentiles."""
    found = []
    for start in over(range(0, len(indices), BATCH), "Confounders", "batch", leave=False):
        images = data.images(indices[start:start + BATCH])[..., 0]
        found.append(np.concatenate([_histograms(images), _borders(images)], axis=1))
    return np.concatenate(found)


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray, patients: np.ndarray, classes: int) -> Estimate:
    """The mean recall (3.45) of the classes, with its 95 % interval by patient; NaN where a class is absent."""
    names, owner = np.unique(patients, return_inverse=True)
    recalls = [proportion(predicted[of_class] == c, owner[of_class], len(names))
               for c, of_class in ((c, labels == c) for c in range(classes))]
    return combine(recalls, [1 / classes] * classes)


def _classifier(data: PreparedSet, train: np.ndarray, test: np.ndarray) -> BlindClassifier | None:
    classes = len(data.classes)
    labels, patients = data.labels[train], data.patients[train]
    fewest = min(len(np.unique(patients[labels == c])) for c in range(classes))
    if fewest < 2:
        return None
    model = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)),
        {"logisticregression__C": PENALTIES}, scoring="balanced_accuracy", cv=StratifiedGroupKFold(min(FOLDS, fewest)))
    with threadpool_limits(1), warnings.catch_warnings():  # one thread: sums in one order, the same bits everywhere
        warnings.simplefilter("ignore", UserWarning)  # of small folds that lack a class: they count for those they have
        model.fit(features(data, train), labels, groups=patients)
        outputs = model.predict_proba(features(data, test))
    labels, patients, predicted = data.labels[test], data.patients[test], metrics.predicted_classes(outputs)
    names, owner = np.unique(patients, return_inverse=True)
    found = classifier_estimates(outputs, labels, predicted, owner, len(names))
    confusion = metrics.confusion_matrix(labels, predicted, classes)
    balanced = balanced_accuracy(labels, predicted, patients, classes)
    return BlindClassifier(
        BesideGuessing(none_if_nan(balanced.value), balanced.interval, guesser=1 / classes, majority=1 / classes),
        BesideGuessing(float(metrics.accuracy(metrics.one_vs_all(confusion)).mean()), found.accuracy[-1].interval,
                       guesser=float(guesser.uniform_guesser(labels, classes)["accuracy"].mean()),
                       majority=float(guesser.majority(labels, classes)[1].mean())),
        BesideGuessing(none_if_nan(roc.auroc(outputs, labels).mean()), found.auroc[-1].interval,
                       guesser=0.5, majority=0.5),
        penalty=model.best_params_["logisticregression__C"])


def _sources(data: PreparedSet) -> dict[str, dict[str, int]]:
    counts = Counter(zip(data.sources.tolist(), data.labels.tolist(), strict=True))
    return {source: {name: counts[source, c] for c, name in enumerate(data.classes)}
            for source, _ in Counter(data.sources.tolist()).most_common()}


def _histograms(images: np.ndarray) -> np.ndarray:
    """(n, BINS) from (n, side, side)."""
    levels = np.clip((images * BINS).astype(np.int64), 0, BINS - 1).reshape(len(images), -1)
    places = levels + BINS * np.arange(len(images))[:, None]
    return np.bincount(places.ravel(), minlength=BINS * len(images)).reshape(-1, BINS) / levels.shape[1]


def _borders(images: np.ndarray) -> np.ndarray:
    """(n, 20) from (n, side, side)."""
    width = max(1, images.shape[1] // BORDER)
    found = []
    for border in (images[:, :width], images[:, -width:], images[:, :, :width], images[:, :, -width:]):
        pixels = border.reshape(len(images), -1).astype(np.float64)
        found += [pixels.mean(axis=1), pixels.std(axis=1), *np.percentile(pixels, (5, 50, 95), axis=1)]
    return np.stack(found, axis=1)
