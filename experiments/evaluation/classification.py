"""Everything that is measured on one split of the data, in the form of results.json."""
from typing import Any

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import guesser, metrics, roc
from experiments.evaluation.intervals import Estimate, classifier_estimates
from experiments.system.errors import Failure

RATIOS = {"accuracy": metrics.accuracy, "specificity": metrics.specificity, "precision": metrics.precision,
          "recall": metrics.recall}


def evaluate(probabilities: np.ndarray, labels: np.ndarray, patients: np.ndarray,
             classes: tuple[str, ...] = CLASSES) -> dict[str, Any]:
    """What is known of a classifier on one split, as JSON's own types (undefined figures are None, see `metrics`).

    probabilities  (n, C) float, the network's outputs in the order of the classes; the predicted class is the largest
    labels         (n,) int, indices into `classes`
    patients       (n,) str or int, whose image it is: the intervals are by patient
    classes        names of the C classes that are told apart

    images, patients           numbers of them
    counts                     per class tp, fp, tn, fn, images, patients; under "mean" the means over the classes
    accuracy, specificity, precision, recall, auroc      per class and mean
    accuracy_ci, auroc_ci      per class and mean, [low, high], 95 %; None where undefined, see `intervals`
    plain_accuracy, plain_accuracy_ci        share of images whose class is right (so also of two)
    confusion                  C x C, rows the true class, columns the predicted one
    guesser                    accuracy, specificity, precision, recall, auroc of the uniform guesser (footnote 5)
    majority                   class, accuracy: always answering the most frequent class

    Raises `Failure` for outputs that are not finite numbers and for a split without images.
    """
    probabilities, labels, patients = np.asarray(probabilities), np.asarray(labels), np.asarray(patients)
    _check(probabilities, labels, patients, len(classes))
    predicted = metrics.predicted_classes(probabilities)
    confusion = metrics.confusion_matrix(labels, predicted, len(classes))
    counts = metrics.one_vs_all(confusion)
    names, owner = np.unique(patients, return_inverse=True)
    found = classifier_estimates(probabilities, labels, predicted, owner, len(names))
    frequent, frequent_accuracy = guesser.majority(labels, len(classes))
    return {
        "images": len(labels),
        "patients": len(names),
        "counts": _counts(counts, labels, patients, classes),
        **{name: by_class(function(counts), classes) for name, function in RATIOS.items()},
        "auroc": by_class(roc.auroc(probabilities, labels), classes),
        "accuracy_ci": _by_class_intervals(found.accuracy, classes),
        "auroc_ci": _by_class_intervals(found.auroc, classes),
        "plain_accuracy": float(np.trace(confusion) / len(labels)),
        "plain_accuracy_ci": found.plain.interval,
        "confusion": confusion.tolist(),
        "guesser": {name: by_class(figures, classes)
                    for name, figures in guesser.uniform_guesser(labels, len(classes)).items()},
        "majority": {"class": classes[frequent], "accuracy": by_class(frequent_accuracy, classes)},
    }


def classes_of(result: dict[str, Any]) -> tuple[str, ...]:
    """The classes of `evaluate`'s result."""
    return tuple(name for name in result["accuracy"] if name != "mean")


def by_class(values: np.ndarray, classes: tuple[str, ...] = CLASSES) -> dict[str, float | None]:
    """(C,) as {"cancer": ..., "normal": ..., "benign": ..., "mean": ...}; NaN becomes None and the mean with it."""
    figures = [*map(float, values), float(np.mean(values))]
    return {name: None if np.isnan(v) else v for name, v in zip((*classes, "mean"), figures, strict=True)}


def _by_class_intervals(estimates: list[Estimate], classes: tuple[str, ...]) -> dict[str, list[float] | None]:
    return {name: each.interval for name, each in zip((*classes, "mean"), estimates, strict=True)}


def _counts(counts: metrics.Counts, labels: np.ndarray, patients: np.ndarray, classes: tuple[str, ...]
            ) -> dict[str, dict[str, float]]:
    of_class = [labels == c for c in range(len(classes))]
    columns = {
        "tp": counts.tp, "fp": counts.fp, "tn": counts.tn, "fn": counts.fn,
        "images": np.array([there.sum() for there in of_class]),
        "patients": np.array([len(np.unique(patients[there])) for there in of_class]),
    }
    result: dict[str, dict[str, float]] = {
        name: {key: int(column[c]) for key, column in columns.items()} for c, name in enumerate(classes)}
    result["mean"] = {key: float(column.mean()) for key, column in columns.items()}
    return result


def _check(probabilities: np.ndarray, labels: np.ndarray, patients: np.ndarray, classes: int) -> None:
    if not len(labels):
        raise Failure("There are no images to evaluate on; a split must hold at least one image")
    if probabilities.shape != (len(labels), classes) or patients.shape != labels.shape:
        raise ValueError(f"expected outputs (n, {classes}), labels (n,) and patients (n,), got "
                         f"{probabilities.shape}, {labels.shape} and {patients.shape}")
    bad = ~np.isfinite(probabilities).all(axis=1)
    if bad.any():
        raise Failure(f"The network's output is not a finite number for {bad.sum()} of {len(labels)} images, first for "
                      f"image {np.flatnonzero(bad)[0]} (counted from 0); its parameters are not usable. Train again, "
                      "with a smaller learning rate")
