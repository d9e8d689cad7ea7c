"""--head svm: beside the trained network's own last layer a support vector machine answers, by the same features.

The features are what that layer takes: the output of the last hidden dense layer, after its ReLU, in inference, without
dropout. The machine is fitted to those of the training images as they are, neither flipped nor rotated. The network has
learned from these images before, so that their features know more of the classes than those of new ones do: what the
cross-validation over them finds is a choice of C and gamma, and no estimate of anything. Both heads are measured on the
test images, which neither has seen.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.layer import Layer
from experiments.classifiers import svm
from experiments.classifiers.network import features_of
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.evaluation.svm import SvmSettings
from experiments.inputs.image_set import ImageSet
from experiments.inputs.loading import Data
from experiments.system.durations import timed

PART = "support vector machine"  # of a run's time


@dataclass(frozen=True)
class SvmAnswers:
    """outputs: by split (n, C) float32; settings: of the machine."""

    outputs: Mapping[str, np.ndarray]
    settings: SvmSettings


def svm_answers(network: Layer, seen: ImageSet, data: Data, configuration: ClassifierConfiguration
                ) -> SvmAnswers | None:
    """Of a machine on the trained network's features of the images that it sees; None where none is asked for.

    In memory are the features of all images, n x 512 float32 at the thesis's width. Raises Failure where they are not
    finite numbers.
    """
    if configuration.head != "svm":
        return None
    with timed(data.took, PART):
        features = {name: features_of(network, seen, indices) for name, indices in data.splits.items()}
        machine = svm.fit(features["train"], seen.labels[data.train], data.prepared.patients[data.train], seen.classes)
        outputs = {name: machine.outputs(each) for name, each in features.items()}
    return SvmAnswers(outputs, SvmSettings(machine.penalty, machine.gamma, machine.folds, features["train"].shape[1],
                                           machine.support_vectors))


def require_enough_patients(data: Data, configuration: ClassifierConfiguration) -> None:
    """Raises Failure, before anything is trained, where a machine is asked for and the patients are too few."""
    if configuration.head == "svm":
        svm.folds_of(data.prepared.labels[data.train], data.prepared.patients[data.train], data.prepared.classes)
