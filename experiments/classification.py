"""What the three classification experiments share: data of every class, a VGG that learns from them, a report."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.layer import Layer
from experiments import runs
from experiments.classifier import fit, probabilities
from experiments.configuration import Configuration
from experiments.device import array_module
from experiments.duration import seconds_per_step
from experiments.evaluation import metrics
from experiments.evaluation.confounders import confounders
from experiments.evaluation.predictions import ImagePredictions, write_predictions
from experiments.evaluation.thesis import Shown
from experiments.prepared import ImageSet
from experiments.provenance import trained_on
from experiments.reporting.figures import choose_samples
from experiments.reporting.record import Predictions, RunRecord, Samples
from experiments.reporting.report import write_results
from experiments.run_folder import RunFolder
from experiments.runs import Data, describe, duration
from experiments.sampling import Batches

SAMPLES = 12  # images in the figure of samples


def load(configuration: Configuration, cache: Path, workers: int) -> Data:
    """`runs.load`, and on the terminal what was loaded. Raises Failure where a class has no images."""
    data = runs.load(configuration, cache, workers, every_class=True)
    print(describe(data.record))
    return data


def train_and_predict(network: Layer, batches: Batches, data: Data, configuration: Configuration, folder: RunFolder,
                      device: str, first: int = 0) -> dict[str, np.ndarray]:
    """The network's outputs (n, C) on "train" and "test" when it has been trained on the batches, on this device.

    It sees the images that the batches are made of. first: as in `fitting.fit`.
    """
    def outputs(indices: np.ndarray, progress: bool) -> np.ndarray:
        return probabilities(network, batches.prepared, indices, device, progress=progress)

    network.convert(array_module(device).asarray)
    channels = batches.prepared.images(data.train[:1]).shape[-1]
    announce(folder, configuration, seconds_per_step(network, configuration, device, channels))
    fit(network, batches, configuration, folder, device,
        lambda: progress_on_test(outputs(data.test, False), data.prepared.labels[data.test]), first,
        trained_on(folder.record()))
    return {"train": outputs(data.train, True), "test": outputs(data.test, True)}


def announce(folder: RunFolder, configuration: Configuration, seconds: float) -> None:
    total = configuration.total_steps
    print(f"Run folder: {folder.path}\nTraining: {total} steps of {configuration.batch} images, preset "
          f"{configuration.preset}; expected {duration(seconds * total)} on this machine ({seconds:.2g} s a step, "
          "measured just now)", flush=True)


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
    histories = {name: [entry for entry in run.history() if "loss" in entry] for name, run in losses.items()}
    results = write_results(folder.path, RunRecord(
        title=title, command=record["command"], config=configuration,
        versions=record["versions"], seed=configuration["seed"], dataset=data.record["name"],
        is_ddsm=data.record["is_ddsm"],
        fingerprint=data.record["fingerprint"], excluded=data.record["excluded"], dropped=data.record["dropped"],
        classes=prepared.classes, notes=tuple(data.record["notes"])), predictions, histories, samples, shown,
        None if configuration["data"] is None else confounders(prepared, data.train, data.test, configuration["seed"]))
    test = results["test"]
    print(f"Test set: mean one-vs-all accuracy {test['accuracy']['mean']:.4f}, mean AUROC {test['auroc']['mean']:.4f}\n"
          f"Report: {folder.path / 'report.html'}")
