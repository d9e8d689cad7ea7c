"""What a run of a classifier leaves behind: predictions, results, tables, figures and a page."""
from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np

from experiments.evaluation.confounders import confounders
from experiments.evaluation.predictions import ImagePredictions, write_predictions
from experiments.evaluation.thesis import Shown
from experiments.inputs.image_set import ImageSet
from experiments.inputs.loading import Data
from experiments.reporting.figures import choose_samples
from experiments.reporting.record import Predictions, RunRecord, Samples
from experiments.reporting.report import write_results
from experiments.runs.beginning import keep_times
from experiments.runs.folder import RunFolder
from experiments.runs.training_time import total_time

SAMPLES = 12  # images in the figure of samples


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
