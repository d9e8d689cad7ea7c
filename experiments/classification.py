"""What the three classification experiments share: data of every class, a VGG that learns from them, a report."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from engine.layer import Layer
from experiments import runs
from experiments.classifier import fit, probabilities
from experiments.configuration import Configuration
from experiments.datasets.record import Mammogram
from experiments.device import array_module
from experiments.duration import Parts, timed
from experiments.evaluation import metrics
from experiments.evaluation.confounders import confounders
from experiments.evaluation.predictions import ImagePredictions, write_predictions
from experiments.evaluation.thesis import Shown
from experiments.expectation import of_classifier
from experiments.prepared import ImageSet
from experiments.progress import announce
from experiments.provenance import trained_on
from experiments.reporting.figures import choose_samples
from experiments.reporting.record import Predictions, RunRecord, Samples
from experiments.reporting.report import write_results
from experiments.run_folder import RunFolder
from experiments.runs import Data, describe, keep_times, steps_done
from experiments.sampling import Batches
from experiments.training_time import timing, total_time

SAMPLES = 12  # images in the figure of samples


def load(configuration: Configuration, folder: RunFolder, arguments: argparse.Namespace, channels: int = 1,
         first: int = 0, more: Callable[[int], Parts] = lambda images: {}) -> Data:
    """`runs.load`, and on the terminal what was loaded, and before that how long the run will take.

    channels: of the network's input; first: as in `fitting.fit`; more: what else takes time, of so many images. Raises
    Failure where a class has no images.
    """
    def expect(mammograms: Sequence[Mammogram]) -> Parts:
        return {**more(len(mammograms)),
                **of_classifier(configuration, arguments.device, len(mammograms), channels, done)}

    done = max(0, steps_done(folder) - first)
    data = runs.load(configuration, Path(arguments.cache), arguments.workers, every_class=True, expect=expect)
    announce(f"{describe(data.record)}\nRun folder: {folder.path}\nTraining: {configuration.total_steps} steps of "
             f"{configuration.batch} images, preset {configuration.preset}")
    return replace(data, from_step=done)


def train_and_predict(network: Layer, batches: Batches, data: Data, configuration: Configuration, folder: RunFolder,
                      device: str, first: int = 0) -> dict[str, np.ndarray]:
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


def report(folder: RunFolder, record: dict[str, Any], data: Data, seen: ImageSet, predicted: dict[str, np.ndarray],
           title: str, losses: Mapping[str, RunFolder], shown: Shown) -> None:
    """predictions.csv, results.json, tables.md, the figures and report.html, from the outputs on both splits.

    seen: the images, with all channels that the network was given. losses: the runs whose loss is drawn into one
    figure, by name. shown: where the thesis shows the same.
    """
    started = perf_counter()
    prepared, configuration = data.prepared, record["configuration"]
    predictions = {
        name: Predictions(predicted[name], prepared.labels[indices], prepared.patients[indices])
        for name, indices in (("test", data.test), ("train", data.train))}
    write_predictions(folder.path / "predictions.csv", {
        name: ImagePredictions(prepared.names[indices], prepared.patients[indices], prepared.labels[indices],
                               predicted[name], prepared.classes)
        for name, indices in (("test", data.test), ("train", data.train))})
    drawn = choose_samples(prepared.labels[data.test], SAMPLES, configuration["seed"])
    images = seen.images(data.test[drawn])
    samples = Samples(images[..., 0], prepared.labels[data.test[drawn]], predicted["test"][drawn], prepared.classes,
                      images[..., 1] if images[..., 1:].any() else None)
    histories = {name: run.history() for name, run in losses.items()}
    seconds, untimed = total_time([folder.path])
    results = write_results(folder.path, RunRecord(
        title=title, command=record["command"], config=configuration,
        versions=record["versions"], seed=configuration["seed"], dataset=data.record["name"],
        is_ddsm=data.record["is_ddsm"],
        fingerprint=data.record["fingerprint"], excluded=data.record["excluded"], dropped=data.record["dropped"],
        classes=prepared.classes, notes=tuple(data.record["notes"]), seconds=seconds, untimed=untimed,
        started=record.get("started")), predictions, histories, samples, shown,
        None if configuration["data"] is None else confounders(prepared, data.train, data.test))
    data.took["report"] = perf_counter() - started
    test = results["test"]
    print(f"Test set: mean one-vs-all accuracy {test['accuracy']['mean']:.4f}, mean AUROC {test['auroc']['mean']:.4f}\n"
          f"Report: {folder.path / 'report.html'}")
    keep_times(folder, data)
