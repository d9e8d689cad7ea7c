"""4.3: ROI detection. Ten U-nets that mark lesions: one for each of five sizes of annotation and each of two losses.

    python experiments/roi_detection.py                              synthetic images, some minutes on a CPU
    python experiments/roi_detection.py --data DIR                   your mammograms and their masks
    python experiments/roi_detection.py --data DIR --preset thesis --device cuda
    python experiments/roi_detection.py --resume                     continue the newest run where it stopped
    python experiments/roi_detection.py --workers 2                  two trainings at a time, each in a process
    python experiments/roi_detection.py --scheduler tcp://127.0.0.1:8786    on a Dask cluster that sees the same folders

The detectors P0 .. P4 learn from images with small to large annotations, each by the Dice loss (3.43) and by the
sensitivity-specificity loss (3.49). A training that fails is tried once more from its last checkpoint while the others
go on. The result depends neither on the number of workers nor on interruptions.

A research and teaching tool, not for diagnosis.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.configuration.detector import LOSSES, PRESETS, DetectorConfiguration
from experiments.configuration.flags import add_flags
from experiments.datasets.mammogram import Mammogram
from experiments.detectors.evolution import read_evolution
from experiments.detectors.expected import of_detectors
from experiments.detectors.network import detector_name
from experiments.detectors.training import DetectorTask, train_detector
from experiments.evaluation.confounders import confounders
from experiments.inputs.image_set import PreparedSet
from experiments.inputs.loading import describe, load
from experiments.inputs.size_groups import GROUPS, SizeGroups, annotation_sizes, size_groups
from experiments.reporting.record import RunRecord
from experiments.reporting.roi_report import TrainedDetector, headline, write_roi_results
from experiments.runs.beginning import add_run_flags, begin, keep_times, open_run, steps_done
from experiments.runs.claim import claimed
from experiments.runs.folder import RunFolder
from experiments.runs.training_time import timing, total_time
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.durations import Parts, timed
from experiments.system.files import read_json
from experiments.system.jobs import open_executor, run_jobs
from experiments.system.pickled import Pickled
from experiments.system.progress import announce

EXPERIMENT = "roi_detection"


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    with begin(EXPERIMENT, PRESETS, arguments) as (folder, configuration):
        run(folder, configuration, arguments)


def run(folder: RunFolder, configuration: DetectorConfiguration, arguments: argparse.Namespace) -> None:
    data = load(configuration, Path(arguments.cache).resolve(), arguments.workers, expect=(
        partial(expected, folder, configuration, arguments.device) if arguments.scheduler is None else None))
    groups = size_groups(annotation_sizes(data.prepared), data.train, data.test)
    data.record["notes"] += repeated_images(groups, configuration.batch)
    announce(describe(data.record))
    described = groups.record() | {"lesion_pixels": lesion_pixels(groups, configuration.side)}
    record = open_run(EXPERIMENT, folder, configuration, data, arguments.device, {"groups": described})

    with timed(data.took, "training"):
        train_all(folder, configuration, data.prepared, groups, arguments)
    with timed(data.took, "report"):
        report(folder, record, None if configuration.data is None else confounders(
            data.prepared, data.train, data.test))
    keep_times(folder, data)


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    add_flags(new, PRESETS, "Table 4.4")
    add_run_flags(new, "processes that preprocess images, and trainings at a time; on a GPU they follow each other")
    new.add_argument("--scheduler", metavar="ADDRESS",
                     help="train on the cluster of this Dask scheduler, whose workers have this project installed and "
                          "see the run's folder and the cache at the same paths")
    return new


def repeated_images(groups: SizeGroups, batch: int) -> list[str]:
    """A note for the report where a batch is larger than a size group."""
    smallest = min(map(len, groups.train))
    return [] if batch <= smallest else [
        f"The smallest size group has {smallest} training images, fewer than a batch of {batch}: images repeat within "
        "a batch, each time mirrored and rotated anew. So few images train nothing that holds for others."]


def lesion_pixels(groups: SizeGroups, side: int) -> dict[str, float | None]:
    """Of each group's test images: the share of pixels that are annotated; None where there are no images."""
    return {name: float(groups.sizes[members].mean() / side**2) if len(members) else None
            for name, members in zip(GROUPS, groups.test, strict=True)}


def train_all(folder: RunFolder, configuration: DetectorConfiguration, prepared: PreparedSet, groups: SizeGroups,
              arguments: argparse.Namespace) -> None:
    """The trainings that are not finished yet, several at a time."""
    workers = 1 if arguments.device == "cuda" else arguments.workers
    with open_executor(workers, arguments.scheduler) as executor, claimed(folder.path) as claim:
        shared = Pickled.of(prepared)
        tasks = [DetectorTask(group, loss, claim, configuration, shared, groups, arguments.device)
                 for loss in LOSSES for group in GROUPS]
        unfinished = {task.name: task for task in tasks if not task.results.exists()}
        if unfinished:
            announce(f"Run folder: {folder.path}\nTraining: {len(unfinished)} detectors, {configuration.total_steps} "
                     f"steps of {configuration.batch} images each, preset {configuration.preset}")
            with timing(folder.path):
                run_jobs(unfinished, train_detector, executor, configuration.total_steps)


def expected(folder: RunFolder, configuration: DetectorConfiguration, device: str, mammograms: Sequence[Mammogram]
             ) -> Parts:
    """The seconds of the run on this machine; a cluster's speed is not known here."""
    made = [steps_done(RunFolder(folder.path / detector_name(group, loss))) for loss in LOSSES for group in GROUPS]
    return of_detectors(configuration, device, mammograms, len(made), sum(made))


def report(folder: RunFolder, record: dict[str, Any], found: dict[str, Any] | None) -> None:
    """results.json, tables.md, the figures and report.html, from what the ten trainings left behind.

    found: the confounders of real data.
    """
    configuration, data = record["configuration"], record["data"]
    detectors = {}
    for name in (detector_name(group, loss) for loss in LOSSES for group in GROUPS):
        own = RunFolder(folder.path / name)
        detectors[name] = TrainedDetector(read_json(own.path / "results.json"), own.history(),
                                          read_evolution(own.path / "evolution.npz"))
    seconds, untimed = total_time([folder.path])
    results = write_roi_results(folder.path, RunRecord(
        title="Detection of regions of interest in mammograms", command=record["command"], config=configuration,
        versions=record["versions"], seed=configuration["seed"], dataset=data["name"], is_ddsm=data["is_ddsm"],
        fingerprint=data["fingerprint"], excluded=data["excluded"], dropped=data["dropped"],
        notes=tuple(data["notes"]), seconds=seconds, untimed=untimed, started=record.get("started")),
        record["groups"], detectors, found)
    print("\n".join([*headline(results), f"Report: {folder.path / 'report.html'}"]))


if __name__ == "__main__":
    run_command(main, RESUME)
