"""4.2: the end-to-end classifier. A VGG trained from scratch on whole mammograms: cancer, normal or benign.

    python experiments/end2end.py                                    synthetic images, a few minutes on a CPU
    python experiments/end2end.py --data DIR                         your mammograms
    python experiments/end2end.py --data DIR --preset thesis --device cuda
    python experiments/end2end.py --resume                           continue the newest run where it stopped
    python experiments/end2end.py --width 0.5 --steps 2000 --output runs/wider

A research and teaching tool, not for diagnosis.
"""
from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.classifier import build, fit, probabilities, seconds_per_step
from experiments.command import run_command
from experiments.configuration import Configuration, add_flags, configure, given_flags
from experiments.datasets import CLASSES, open_dataset
from experiments.device import array_module
from experiments.errors import Failure, UsageError
from experiments.evaluation import metrics, thesis
from experiments.evaluation.predictions import ImagePredictions, write_predictions
from experiments.prepared import PreparedSet, prepare
from experiments.preprocessing import Preprocessing
from experiments.reporting.figures import choose_samples
from experiments.reporting.record import Predictions, RunRecord, Samples
from experiments.reporting.report import write_results
from experiments.run_folder import RunFolder, choose_folder
from experiments.sampling import Batches
from experiments.splitting import require_all_classes, split

SAMPLES = 12  # images in the figure of samples


@dataclass(frozen=True)
class Data:
    """The prepared images, which of them train and which test, and what the report says of them."""
    prepared: PreparedSet
    train: np.ndarray
    test: np.ndarray
    record: dict[str, Any]


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    if arguments.workers < 1:
        raise UsageError(f"--workers {arguments.workers}: expected at least 1")
    array_module(arguments.device)  # a missing GPU is known before the data are prepared
    folder, configuration = begin(arguments)
    data = load(configuration, Path(arguments.cache), arguments.workers)
    batches = Batches(data.prepared, data.train, configuration.batch, configuration.seed, configuration.rotation)
    record = open_run(folder, configuration, data, arguments)

    network = build(configuration)
    network.convert(array_module(arguments.device).asarray)
    announce(folder, configuration, seconds_per_step(network, configuration, arguments.device))
    fit(network, batches, configuration, folder, arguments.device,
        lambda: progress_on_test(probabilities(network, data.prepared, data.test, arguments.device),
                                 data.prepared.labels[data.test]))
    report(folder, record, data, {
        "train": probabilities(network, data.prepared, data.train, arguments.device, progress=True),
        "test": probabilities(network, data.prepared, data.test, arguments.device, progress=True)})


def parser() -> argparse.ArgumentParser:
    new = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_flags(new)
    new.add_argument("--output", metavar="DIR", help="folder of the run (default: a new one under runs/)")
    new.add_argument("--resume", action="store_true",
                     help="continue the run in --output, or the newest one under runs/, from its last checkpoint")
    new.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    new.add_argument("--cache", metavar="DIR", default="runs/cache",
                     help="where preprocessed images are kept for the next run (default: runs/cache)")
    new.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N",
                     help="processes that preprocess images (default: one for each processor)")
    return new


def begin(arguments: argparse.Namespace) -> tuple[RunFolder, Configuration]:
    """A new run's folder and configuration, or those of the run to resume, which flags must not contradict."""
    if arguments.data is not None:
        arguments.data = str(Path(arguments.data).resolve())  # a run may be resumed from another folder
    configuration = configure(arguments)
    folder = RunFolder(choose_folder(arguments.output, arguments.resume, "end2end",
                                     f"{Path(configuration.data or 'synthetic').name}-{configuration.preset}"))
    if not arguments.resume:
        folder.require_new()
        return folder, configuration
    if not folder.exists():  # killed before it could write anything
        print(f"There is no run in {folder.path} yet: it begins now")
        return folder, configuration
    recorded = folder.record()["configuration"]
    for name, value in given_flags(arguments).items():
        if recorded.get(name) != value:
            raise UsageError(f"the run in {folder.path} has {name} {recorded.get(name)}, the flag says {value}. Resume "
                             "without that flag, or start another run")
    return folder, Configuration(**recorded)


def load(configuration: Configuration, cache: Path, workers: int) -> Data:
    """4.1: read, preprocess (from the cache what is there already), split by patient."""
    dataset = open_dataset(None if configuration.data is None else Path(configuration.data), configuration.seed)
    preprocessing = Preprocessing(configuration.side, configuration.working_side, configuration.clip_limit)
    prepared = prepare(dataset.mammograms, preprocessing, cache, workers)
    require_all_classes(prepared.labels)
    train, test = split(prepared.labels, prepared.patients, configuration.seed)
    record = {"name": dataset.name, "fingerprint": prepared.fingerprint, "images": len(prepared),
              "patients": len(set(prepared.patients)), "excluded": dataset.excluded, "dropped": prepared.dropped}
    for name, indices in (("train", train), ("test", test)):
        counts = np.bincount(prepared.labels[indices], minlength=len(CLASSES))
        record[name] = dict(zip(CLASSES, counts.tolist(), strict=True))
        record[f"{name}_patients"] = len(set(prepared.patients[indices]))
    print(describe(record))
    return Data(prepared, train, test, record)


def describe(record: dict[str, Any]) -> str:
    """What the data are, and what was left out of them and why, for the terminal."""
    lines = [f"Data: {record['name']}, {record['images']} images of {record['patients']} patients"]
    left_out = record["excluded"] | record["dropped"]
    lines += [f"  left out: {count} ({reason})" for reason, count in left_out.items()] or [
        "  left out: 0 (no hybrids, no annotation lost by the crop)"]
    lines += [f"  {name}: " + ", ".join(f"{count} {label}" for label, count in record[name].items())
              + f", {record[f'{name}_patients']} patients" for name in ("train", "test")]
    return "\n".join(lines)


def open_run(folder: RunFolder, configuration: Configuration, data: Data,
             arguments: argparse.Namespace) -> dict[str, Any]:
    """Write config.json of a new run; of a resumed one, make sure that the data are still those it began with."""
    if folder.exists():
        record = folder.record()
        if record["data"]["fingerprint"] != data.record["fingerprint"]:
            raise Failure(f"the data are not those that the run in {folder.path} began with (another fingerprint). "
                          "Restore them, or start another run")
        return record
    folder.create({"experiment": "end2end", "configuration": asdict(configuration), "data": data.record,
                   "device": arguments.device, "command": shlex.join(["python", *sys.argv])})
    return folder.record()


def announce(folder: RunFolder, configuration: Configuration, seconds: float) -> None:
    total = configuration.total_steps
    print(f"Run folder: {folder.path}\nTraining: {total} steps of {configuration.batch} images, preset "
          f"{configuration.preset}; expected {duration(seconds * total)} on this machine ({seconds:.2g} s a step, "
          "measured just now)", flush=True)


def duration(seconds: float) -> str:
    """In the unit that a person would use."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"about {seconds / size:.1f} {unit}"
    return f"about {seconds:.0f} seconds"


def progress_on_test(predicted: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """What metrics.jsonl keeps of the test set while training goes on."""
    confusion = metrics.confusion_matrix(labels, metrics.predicted_classes(predicted))
    return {"accuracy_mean": float(metrics.accuracy(metrics.one_vs_all(confusion)).mean()),
            "three_class_accuracy": float(np.trace(confusion) / len(labels))}


def report(folder: RunFolder, record: dict[str, Any], data: Data, predicted: dict[str, np.ndarray]) -> None:
    """predictions.csv, results.json, tables.md, the figures and report.html, from the outputs on both splits."""
    prepared, configuration = data.prepared, record["configuration"]
    predictions = {
        name: Predictions(predicted[name], prepared.labels[indices], prepared.patients[indices])
        for name, indices in (("test", data.test), ("train", data.train))}
    write_predictions(folder.path / "predictions.csv", {
        name: ImagePredictions(prepared.names[indices], prepared.patients[indices], prepared.labels[indices],
                               predicted[name]) for name, indices in (("test", data.test), ("train", data.train))})
    shown = choose_samples(prepared.labels[data.test], SAMPLES, configuration["seed"])
    samples = Samples(prepared.images(data.test[shown])[..., 0], prepared.labels[data.test[shown]],
                      predicted["test"][shown])
    losses = [entry for entry in folder.history() if "loss" in entry]
    results = write_results(folder.path, RunRecord(
        title="End-to-end classification of mammograms", command=record["command"], config=configuration,
        versions=record["versions"], seed=configuration["seed"], dataset=data.record["name"], is_ddsm=False,
        fingerprint=data.record["fingerprint"], excluded=data.record["excluded"], dropped=data.record["dropped"],
    ), predictions, {"end-to-end": losses}, samples, thesis.END_TO_END)
    test = results["test"]
    print(f"Test set: mean one-vs-all accuracy {test['accuracy']['mean']:.4f}, mean AUROC {test['auroc']['mean']:.4f}\n"
          f"Report: {folder.path / 'report.html'}")


if __name__ == "__main__":
    run_command(main)
