"""What a support vector machine on the network's features is worth, beside the network's own last layer."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.evaluation.classification import Evaluation, evaluate_predictions
from experiments.evaluation.paired import Comparison, compare
from experiments.evaluation.predictions import ImagePredictions

NAMES = ("the network's own head", "the support vector machine")


@dataclass(frozen=True, slots=True)
class SvmSettings:
    """penalty, gamma     C and gamma, chosen by cross-validation over so many folds of the training patients
    features           of an image
    support_vectors    training images that the machine consists of
    """
    penalty: float
    gamma: float
    folds: int
    features: int
    support_vectors: int


@dataclass(frozen=True, slots=True)
class SvmResults:
    """test, train    of the machine
    comparison     the network's own head minus the machine, on the same test images
    """
    settings: SvmSettings
    test: Evaluation
    train: Evaluation
    comparison: Comparison

    @property
    def splits(self) -> dict[str, Evaluation]:
        """By name, as `ClassifierResults.splits`."""
        return {"test": self.test, "train": self.train}


def svm_results(own: Mapping[str, ImagePredictions], of_svm: Mapping[str, ImagePredictions], settings: SvmSettings
                ) -> SvmResults:
    """From the outputs of the network's own head and of the machine, on "test" and "train"."""
    return SvmResults(settings, evaluate_predictions(of_svm["test"]), evaluate_predictions(of_svm["train"]),
                      compare([own["test"]], [of_svm["test"]], NAMES))
