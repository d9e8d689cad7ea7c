"""The figures of a classifier on one test set, with their intervals."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.evaluation.intervals.area import area
from experiments.evaluation.intervals.estimate import Estimate, combine
from experiments.evaluation.intervals.proportion import proportion


@dataclass(frozen=True)
class ClassifierEstimates:
    """What is known of a classifier, with its uncertainty.

    accuracy  one-vs-all (3.48): of each class, then their mean
    plain     the share of images whose class is right
    auroc     one-vs-all: of each class, then their mean
    """

    accuracy: list[Estimate]
    plain: Estimate
    auroc: list[Estimate]

    @property
    def listed(self) -> list[Estimate]:
        """All of them, in the order above."""
        return [*self.accuracy, self.plain, *self.auroc]


def classifier_estimates(probabilities: np.ndarray, labels: np.ndarray, predicted: np.ndarray, owner: np.ndarray,
                         patients: int) -> ClassifierEstimates:
    """From (n, C) outputs, (n,) labels and predicted classes (int), (n,) int, which of the P patients an image is of.

    An answer that is wrong is wrong for two of the C classes, the true one and the one given, and right for the others:
    the mean one-vs-all accuracy is 1 - 2/C (1 - plain accuracy), and so are the ends of its interval. A mean with an
    undefined part is undefined.
    """
    classes = probabilities.shape[1]
    of_classes = [proportion((labels == c) == (predicted == c), owner, patients) for c in range(classes)]
    plain = proportion(labels == predicted, owner, patients)
    areas = [area(probabilities[:, c], labels == c, owner, patients) for c in range(classes)]
    mean = combine(areas, [1 / classes] * classes)
    return ClassifierEstimates([*of_classes, plain.scaled(2 / classes, 1 - 2 / classes)], plain, [*areas, mean])
