"""What the three classification experiments share: data of every class, a VGG that learns from them, a report."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.layer import Layer
from experiments.classifiers.expected import of_classifier
from experiments.classifiers.network import fit, probabilities
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.datasets.mammogram import Mammogram
from experiments.evaluation import metrics
from experiments.inputs import loading
from experiments.inputs.batches import Batches
from experiments.inputs.loading import Data, describe
from experiments.runs.beginning import steps_done
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import trained_on
from experiments.runs.training_time import timing
from experiments.system.device import array_module
from experiments.system.durations import Parts, timed
from experiments.system.progress import announce


def load(configuration: ClassifierConfiguration, folder: RunFolder, arguments: argparse.Namespace, channels: int = 1,
         first: int = 0, more: Callable[[int], Parts] = lambda images: {}) -> Data:
    """`loading.load`, and on the terminal what was loaded, and before that how long the run will take.

    channels: of the network's input; first: as in `fitting.fit`; more: what else takes time, of so many images. Raises
    Failure where a class has no images.
    """
    def expect(mammograms: Sequence[Mammogram]) -> Parts:
        return {**more(len(mammograms)),
                **of_classifier(configuration, arguments.device, len(mammograms), channels, done)}

    done = max(0, steps_done(folder) - first)
    data = loading.load(configuration, Path(arguments.cache), arguments.workers, every_class=True, expect=expect)
    announce(f"{describe(data.record)}\nRun folder: {folder.path}\nTraining: {configuration.total_steps} steps of "
             f"{configuration.batch} images, preset {configuration.preset}")
    return replace(data, from_step=done)


def train_and_predict(network: Layer, batches: Batches, data: Data, configuration: ClassifierConfiguration,
                      folder: RunFolder, device: str, first: int = 0) -> dict[str, np.ndarray]:
    """The network's outputs (n, C) on "train" and "test" when it has been trained on the batches, on this device.

    It sees the images that the batches are made of. first: as in `fitting.fit`.
    """
    def outputs(indices: np.ndarray, progress: bool) -> np.ndarray:
        with timed(data.took, "evaluating"):
            return probabilities(network, batches.prepared, indices, device, progress=progress)

    network.convert(array_module(device).asarray)
    with timing(folder.path), timed(data.took, "training"):
        fit(network, batches, configuration, folder, device,
            lambda: progress_on_test(outputs(data.test, False), data.prepared.labels[data.test]), first,
            trained_on(folder.record()))
    data.took["training"] -= data.took.get("evaluating", 0.0)  # that was inside
    return {"train": outputs(data.train, True), "test": outputs(data.test, True)}


def progress_on_test(predicted: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """What metrics.jsonl keeps of the test set while training goes on."""
    confusion = metrics.confusion_matrix(labels, metrics.predicted_classes(predicted), predicted.shape[1])
    return {"accuracy_mean": float(metrics.accuracy(metrics.one_vs_all(confusion)).mean()),
            "plain_accuracy": float(np.trace(confusion) / len(labels))}
