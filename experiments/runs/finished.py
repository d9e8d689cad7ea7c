"""Finished runs that another run builds on or compares itself with."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from experiments.configuration.training import TrainingConfiguration, flag
from experiments.inputs.loading import Data
from experiments.runs.folder import RunFolder
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure, UsageError
from experiments.system.folders import folder_path

RUNS = Path("runs")
# flags that decide what the images and the split are
DATA = ("seed", "validation", "classes", "side", "working_side", "clip_limit")


def add_end2end_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--end2end", metavar="RUN", type=folder_path,
                        help="folder of a finished run of experiments/end2end.py, to compare the loss with (default: "
                             "the newest under runs/ of the same data and seed, if there is one)")


def finished(path: Path, experiment: str) -> RunFolder:
    """The run in that folder. Raises UsageError where there is none of that experiment, or it is not finished."""
    folder = RunFolder(path)
    if not folder.exists():
        raise UsageError(f"{path}: there is no run of experiments/{experiment}.py (no config.json). If it was moved, "
                         "name its new folder")
    if folder.experiment != experiment:
        raise UsageError(f"{path} holds a run of experiments/{folder.experiment}.py; one of "
                         f"experiments/{experiment}.py is needed")
    if not (path / "results.json").exists():
        raise UsageError(f"the run in {path} is not finished. Finish it: python experiments/{experiment}.py --resume "
                         f"--output {path}")
    return folder


def newest(experiment: str, agrees: Callable[[RunRecord], bool]) -> RunFolder | None:
    """Of the finished runs under runs/ whose config.json agrees, the one that was finished last.

    One whose config.json is damaged is passed over.
    """
    ends = sorted(RUNS.glob("*/results.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in (RunFolder(path.parent) for path in ends):
        try:
            if folder.exists() and folder.experiment == experiment and agrees(folder.record()):
                return folder
        except Failure:
            continue
    return None


def of_same_data(experiment: str, given: Path | None, fingerprint: str, seed: int, validation: float = 0.0
                 ) -> RunFolder | None:
    """The run that was given, or else the newest; both of the same data, prepared alike, and split by the same seed,
    with the same share of the training images held out.

    Raises UsageError where the given one is none, unfinished, or of other data, another seed or share.
    """
    def same(record: RunRecord) -> bool:
        return (record.data.fingerprint == fingerprint and record.configuration.get("seed") == seed
                and record.configuration.get("validation", 0.0) == validation)

    if given is None:
        return newest(experiment, same)
    folder = finished(given, experiment)
    record = folder.record()
    if not same(record):
        other = record.configuration
        flags = " ".join(f"{flag(name)} {other[name]}" for name in DATA if name in other)
        raise UsageError(
            f"{given} has other training images: it was made of {record.data.name} with {flags} (fingerprint "
            f"{record.data.fingerprint[:12]}), this run with --seed {seed} "
            f"--validation {validation} (fingerprint {fingerprint[:12]}); "
            "such runs cannot be combined: what one tests, the other may have been trained on")
    return folder


def end2end_run(given: Path | None, folder: RunFolder, data: Data, configuration: TrainingConfiguration
                ) -> RunFolder | None:
    """The end-to-end run whose loss is drawn beside that of the run in `folder`: the given one, or that of its
    config.json, or for a new run the newest; None where there is none."""
    if given is not None or not folder.exists():
        return of_same_data("end2end", given, data.record.fingerprint, configuration.seed, configuration.validation)
    recorded = folder.record().end2end
    return None if recorded is None else finished(Path(recorded), "end2end")
