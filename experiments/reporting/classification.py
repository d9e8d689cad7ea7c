"""What a run of a classifier leaves behind: predictions, results, tables, figures and a page."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

import numpy as np

from experiments.evaluation.confounders import confounders
from experiments.evaluation.predictions import predictions_of, write_predictions
from experiments.evaluation.thesis import Shown
from experiments.inputs.image_set import ImageSet
from experiments.inputs.loading import Data
from experiments.reporting.figures import Samples, choose_samples
from experiments.reporting.report import write_results
from experiments.reporting.tables import number
from experiments.runs.beginning import keep_times
from experiments.runs.folder import RunFolder
from experiments.runs.record import RunRecord

SAMPLES = 12  # images in the figure of samples


def report(folder: RunFolder, record: RunRecord, data: Data, seen: ImageSet, predicted: Mapping[str, np.ndarray],
           title: str, losses: Mapping[str, RunFolder], shown: Shown) -> None:
    """predictions.csv, results.json, tables.md, the figures and report.html, from the outputs on both splits.

    seen: the images, with all channels that the network was given. losses: the runs whose loss is drawn into one
    figure, by name. shown: where the thesis shows the same.
    """
    started = perf_counter()
    prepared, configuration = data.prepared, record.configuration
    predictions = {name: predictions_of(prepared, indices, predicted[name]) for name, indices in data.splits.items()}
    write_predictions(folder.path / "predictions.csv", predictions)
    drawn = choose_samples(prepared.labels[data.test], SAMPLES, configuration["seed"])
    images = seen.images(data.test[drawn])
    samples = Samples(images[..., 0], prepared.labels[data.test[drawn]], predicted["test"][drawn], prepared.classes,
                      images[..., 1] if images[..., 1:].any() else None)
    results = write_results(
        folder.path, title, replace(record, data=data.record), predictions,
        {name: run.history() for name, run in losses.items()}, samples, shown,
        None if configuration["data"] is None else confounders(prepared, data.train, data.test), folder.layers())
    data.took["report"] = perf_counter() - started
    test = results.test
    print(f"Test set: mean one-vs-all accuracy {number(test.accuracy['mean'])}, mean AUROC "
          f"{number(test.auroc['mean'])}\nReport: {folder.path / 'report.html'}")
    keep_times(folder, data)
