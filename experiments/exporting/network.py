"""The trained network of a run, of whichever kind, and what is to be said of it wherever it goes."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.checkpoint import Checkpoint
from engine.combinators import Chain, Fork
from engine.layer import Layer
from engine.layers import Sigmoid
from experiments.classifiers.trained import load_classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import kind_of
from experiments.configuration.training import TrainingConfiguration
from experiments.datasets import synthetic
from experiments.detectors.trained import load_detector
from experiments.inputs.preprocessing import Preprocessing, preprocess
from experiments.runs.checkpoints import described_wrongly, find_checkpoint, read_checkpoint
from experiments.runs.provenance import Provenance

OUTPUTS = ("probabilities", "logits")
DRAWN = (0, 2, 4)  # of the drawn mammograms, one of each class


@dataclass(frozen=True)
class TrainedNetwork:
    """path        of its checkpoint
    network     VGG or U-net; y: the logits
    input       (n, side, side, channels) float32, what the network takes, for prepared images (n, side, side, 1)
    """
    path: Path
    checkpoint: Checkpoint
    network: Layer
    configuration: TrainingConfiguration
    provenance: Provenance
    input: Callable[[np.ndarray], np.ndarray]

    @property
    def channels(self) -> int:
        """Of the network's input."""
        of = self.configuration
        return of.channels if isinstance(of, ClassifierConfiguration) else 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a sample."""
        return self.configuration.side, self.configuration.side, self.channels

    def with_probabilities(self) -> Layer:
        """Its arrays in a network that answers with both, OUTPUTS."""
        return Chain(**self.network.children, answer=Fork(sigmoid=Sigmoid()))

    def drawn_batch(self) -> np.ndarray:
        """(3, *shape): drawn mammograms, prepared as in training. Noise would be another input than any it has seen."""
        settings = Preprocessing.of(self.configuration)
        images = [preprocess(synthetic.draw(0, index)[0], None, settings, "a drawn mammogram").image for index in DRAWN]
        return self.input(np.stack(images)[..., None])


def load_network(given: Path) -> TrainedNetwork:
    """given: a run's folder or its checkpoint. Raises UsageError where there is none, Failure where it is damaged."""
    path = find_checkpoint(given)
    checkpoint = read_checkpoint(path)
    with described_wrongly(path, "this project's networks"):
        kind = kind_of(checkpoint.configuration)
    if issubclass(kind, DetectorConfiguration):
        detector = load_detector(path, "cpu", checkpoint)
        return TrainedNetwork(path, checkpoint, detector.network, detector.configuration, detector.provenance,
                              lambda images: images)
    classifier = load_classifier(path, "cpu", checkpoint)
    return TrainedNetwork(path, checkpoint, classifier.network, classifier.configuration, classifier.provenance,
                          classifier.input)
