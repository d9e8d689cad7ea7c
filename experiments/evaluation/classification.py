"""Everything that is measured on one split of the data."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import guesser, metrics, roc
from experiments.evaluation.intervals import Interval, classifier_estimates
from experiments.evaluation.per_class import ByClass, Intervals, by_class, intervals_by_class, require_same_classes
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import IMAGES, Unit
from experiments.system.errors import Failure


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Of one class against the others; images, patients: of that class. Of the means over the classes no whole
    numbers."""
    tp: int | float
    fp: int | float
    tn: int | float
    fn: int | float
    images: int | float
    patients: int | float


@dataclass(frozen=True, slots=True)
class Majority:
    """Always giving the same answer, the most frequent class."""
    answer: str
    accuracy: ByClass


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is known of a classifier on one split; undefined figures are None, see `metrics`.

    unit                       what is counted, see `unit`: where "images" stands here, it is of those units
    images, patients           numbers of them
    counts                     by class and "mean", the means over the classes
    accuracy, specificity, precision, recall, auroc      by class and mean
    accuracy_ci, auroc_ci      by class and mean, 95 %; None where undefined, see `intervals`
    plain_accuracy, plain_accuracy_ci        share of images whose class is right (so also of two)
    confusion                  C x C, rows the true class, columns the predicted one
    guesser                    the five metrics of the uniform guesser (footnote 5), by their names
    """
    images: int
    patients: int
    counts: dict[str, ClassCounts]
    accuracy: ByClass
    specificity: ByClass
    precision: ByClass
    recall: ByClass
    auroc: ByClass
    accuracy_ci: Intervals
    auroc_ci: Intervals
    plain_accuracy: float
    plain_accuracy_ci: Interval | None
    confusion: list[list[int]]
    guesser: dict[str, ByClass]
    majority: Majority
    unit: Unit = IMAGES

    def __post_init__(self) -> None:
        require_same_classes({
            **self.metrics, "counts": self.counts, **{f"{name}_ci": each for name, each in self.intervals.items()},
            **{f"guesser.{name}": self.guesser.get(name, ()) for name in self.metrics},
            "majority.accuracy": self.majority.accuracy})

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the outputs."""
        return tuple(name for name in self.accuracy if name != "mean")

    @property
    def metrics(self) -> dict[str, ByClass]:
        """The five metrics by their names, in the order of the tables."""
        return {"accuracy": self.accuracy, "specificity": self.specificity, "precision": self.precision,
                "recall": self.recall, "auroc": self.auroc}

    @property
    def intervals(self) -> dict[str, Intervals]:
        """Of those metrics that have them."""
        return {"accuracy": self.accuracy_ci, "auroc": self.auroc_ci}


def evaluate(probabilities: np.ndarray, labels: np.ndarray, patients: np.ndarray,
             classes: tuple[str, ...] = CLASSES, unit: Unit = IMAGES) -> Evaluation:
    """Of the outputs on one split.

    probabilities  (n, C) float, the network's outputs in the order of the classes; the predicted class is the largest
    labels         (n,) int, indices into `classes`
    patients       (n,) str or int, whose image it is: the intervals are by patient
    classes        names of the C classes that are told apart
    unit           what the n are

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
    return Evaluation(
        images=len(labels),
        patients=len(names),
        counts=_counts(counts, labels, patients, classes),
        accuracy=by_class(metrics.accuracy(counts), classes),
        specificity=by_class(metrics.specificity(counts), classes),
        precision=by_class(metrics.precision(counts), classes),
        recall=by_class(metrics.recall(counts), classes),
        auroc=by_class(roc.auroc(probabilities, labels), classes),
        accuracy_ci=intervals_by_class(found.accuracy, classes),
        auroc_ci=intervals_by_class(found.auroc, classes),
        plain_accuracy=float(np.trace(confusion) / len(labels)),
        plain_accuracy_ci=found.plain.interval,
        confusion=confusion.tolist(),
        guesser={name: by_class(expected, classes)
                 for name, expected in guesser.uniform_guesser(labels, len(classes)).items()},
        majority=Majority(classes[frequent], by_class(frequent_accuracy, classes)), unit=unit)


def evaluate_predictions(predictions: ImagePredictions) -> Evaluation:
    """`evaluate` of them."""
    return evaluate(predictions.probabilities, predictions.labels, predictions.patients, predictions.classes,
                    predictions.unit)


def _counts(counts: metrics.Counts, labels: np.ndarray, patients: np.ndarray, classes: tuple[str, ...]
            ) -> dict[str, ClassCounts]:
    of_class = [labels == c for c in range(len(classes))]
    columns = [counts.tp, counts.fp, counts.tn, counts.fn, np.array([there.sum() for there in of_class]),
               np.array([len(np.unique(patients[there])) for there in of_class])]
    return {**{name: ClassCounts(*(int(column[c]) for column in columns)) for c, name in enumerate(classes)},
            "mean": ClassCounts(*(float(column.mean()) for column in columns))}


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
