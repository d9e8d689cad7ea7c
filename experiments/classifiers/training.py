"""What the three classification experiments share: data of every class, and a VGG that learns from them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter

from engine.checkpoint import to_numpy
from engine.layer import Layer
from engine.losses import binary_cross_entropy_with_logits
from experiments.classifiers.expected import memory_of_classifier
from experiments.classifiers.network import probabilities
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.datasets.mammogram import Mammogram
from experiments.evaluation import metrics
from experiments.inputs import loading
from experiments.inputs.batches import Batches
from experiments.inputs.image_set import ImageSet
from experiments.inputs.loading import Data, describe
from experiments.inputs.size_groups import GROUPS
from experiments.runs.beginning import steps_done
from experiments.runs.board import samples_picture, spread_over
from experiments.runs.fitting import fit
from experiments.runs.folder import RunFolder
from experiments.runs.log import Measures
from experiments.runs.provenance import trained_on
from experiments.runs.training_time import timing
from experiments.system.device import beside
from experiments.system.durations import Parts, timed
from experiments.system.machine import Machine
from experiments.system.progress import announce
from models.saliency import saliency

SMOOTHING = 1 / 64  # standard deviation as a part of the side: gradients of neighbouring pixels scatter

def load(configuration: ClassifierConfiguration, folder: RunFolder, machine: Machine,
         expected: Callable[[int, int], Parts], first: int = 0) -> Data:
    """`loading.load`, and on the terminal what was loaded, and before that how much memory and time the run will take.

    expected: the seconds of the run, of so many images and so many steps that it has behind it; first: as in
    `fitting.fit`. Raises Failure where a class has no images.
    """
    done = max(0, steps_done(folder) - first)

    def expect(mammograms: Sequence[Mammogram]) -> Parts:
        announce(memory_of_classifier(configuration, machine, len(mammograms) if configuration.channels > 1 else 0))
        return expected(len(mammograms), done)

    data = loading.load(configuration, machine, every_class=True, expect=expect)
    announce(f"{describe(data.record)}\nRun folder: {folder.path}\nTraining: {configuration.total_steps} steps of "
             f"{configuration.batch} images, preset {configuration.preset}")
    return replace(data, from_step=done)


def train_and_predict(network: Layer, batches: Batches, data: Data, configuration: ClassifierConfiguration,
                      folder: RunFolder, machine: Machine, first: int = 0) -> dict[str, np.ndarray]:
    """The network's outputs (n, C) on "train", "test" and, where images were held out, "validation" when it has been
    trained, where it is placed.

    It learns by the cross entropy of its sigmoid outputs from the batches, and sees the images that these are made of.
    first: as in `fitting.fit`.
    """
    def outputs(indices: np.ndarray, progress: bool) -> np.ndarray:
        with timed(data.took, "evaluating"):
            return probabilities(network, batches.prepared, indices, progress=progress)

    def evaluate() -> dict[str, Measures]:
        return {"test": accuracies(outputs(data.test, False), data.prepared.labels[data.test])}

    with timing(folder.path), timed(data.took, "training"):
        fit(network, binary_cross_entropy_with_logits, batches, configuration, folder, evaluate,
            trained_on(folder.record()), first=first,
            picture=samples_seen(network, batches.prepared, data) if machine.tensorboard else None, ranks=machine.ranks)
    data.took["training"] -= data.took.get("evaluating", 0.0)  # that was inside
    return {name: outputs(indices, True) for name, indices in data.splits.items()}


def samples_seen(network: Layer, seen: ImageSet, data: Data) -> Callable[[], np.ndarray]:
    """For TensorBoard: test images of every class with their annotations; below, the second channel that the network
    sees, if there is one, and on which pixels the answer for the image's own class depends, each by its largest."""
    indices = spread_over(data.test[np.argsort(data.prepared.labels[data.test], kind="stable")])
    images, labels = seen.images(indices), data.prepared.labels[indices]
    masks = data.prepared.masks(indices)[..., 0] > 0
    heat_maps = [channel / len(GROUPS) for channel in np.moveaxis(images[..., 1:], -1, 0)]

    def picture() -> np.ndarray:
        gradient = np.abs(to_numpy(saliency(network, beside(network, images), labels))).max(axis=-1)
        smooth = gaussian_filter(gradient, SMOOTHING * images.shape[1], axes=(1, 2))
        largest = smooth.max(axis=(1, 2), keepdims=True)
        return samples_picture(images[..., 0], masks, [*heat_maps, smooth / np.where(largest > 0, largest, 1)])

    return picture


def accuracies(predicted: np.ndarray, labels: np.ndarray) -> Measures:
    """What metrics.jsonl keeps while training goes on: the mean of the one-vs-all accuracies, and the share of images
    whose class is right."""
    confusion = metrics.confusion_matrix(labels, metrics.predicted_classes(predicted), predicted.shape[1])
    return {"accuracy": float(metrics.accuracy(metrics.one_vs_all(confusion)).mean()),
            "plain_accuracy": float(np.trace(confusion) / len(labels))}
