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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from experiments.configuration.detector import LOSSES, PRESETS, DetectorConfiguration
from experiments.configuration.flags import add_flags, given_flags
from experiments.datasets.mammogram import Mammogram
from experiments.detectors.expected import memory_of_detectors, of_detectors
from experiments.detectors.network import detector_name
from experiments.detectors.training import DetectorTask, train_detector
from experiments.evaluation.confounders import confounders
from experiments.inputs.image_set import PreparedSet
from experiments.inputs.loading import describe, load
from experiments.inputs.size_groups import GROUPS, SizeGroups, annotation_sizes, normal_images, size_groups
from experiments.reporting.expected import of_detectors_report
from experiments.reporting.roi_report import report
from experiments.runs.beginning import add_folder_flags, begin, keep_times, open_run, steps_done
from experiments.runs.claim import claimed
from experiments.runs.folder import RunFolder
from experiments.runs.training_time import timing
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.durations import Parts, timed
from experiments.system.jobs import open_executor, run_jobs
from experiments.system.machine import Machine, add_machine_flags, chosen_machine
from experiments.system.pickled import Pickled
from experiments.system.progress import announce

EXPERIMENT = "roi_detection"
DETECTORS = [(loss, group) for loss in LOSSES for group in GROUPS]


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    machine, given = chosen_machine(arguments), given_flags(arguments, DetectorConfiguration)
    with begin(EXPERIMENT, PRESETS, given, arguments.output, arguments.resume) as (configuration, folder):
        run(configuration, folder, machine)


def run(configuration: DetectorConfiguration, folder: RunFolder, machine: Machine) -> None:
    if machine.scheduler is None:
        announce(memory_of_detectors(configuration, machine, len(DETECTORS)))
    here = partial(expected, configuration, machine, folder=folder)  # a cluster's speed is not known
    data = load(configuration, machine, masks=True, expect=here if machine.scheduler is None else None)
    groups = size_groups(annotation_sizes(data.prepared), data.train, data.test, normal_images(data.prepared))
    notes = [*data.record.notes, *repeated_images(groups, configuration.batch)]
    data = replace(data, record=replace(data.record, notes=notes))
    announce(describe(data.record))
    record = open_run(EXPERIMENT, folder, configuration, data, machine, groups=groups.record(configuration.side))

    with timed(data.took, "training"):
        train_all(configuration, folder, machine, data.prepared, groups)
    with timed(data.took, "report"):
        report(folder, record, None if configuration.data is None else confounders(
            data.prepared, data.train, data.test))
    keep_times(folder, data)


def expected(configuration: DetectorConfiguration, machine: Machine, mammograms: Sequence[Mammogram],
             folder: RunFolder | None = None) -> Parts:
    """The seconds of a run on these images, by part; of what is left of that in a folder."""
    made = [0] * len(DETECTORS) if folder is None else [
        steps_done(RunFolder(folder.path / detector_name(group, loss))) for loss, group in DETECTORS]
    return {**of_detectors(configuration, machine.device, mammograms, len(made), sum(made), machine.size),
            **of_detectors_report()}


def repeated_images(groups: SizeGroups, batch: int) -> list[str]:
    """A note for the report where a batch is larger than a size group."""
    smallest = min(map(len, groups.train))
    return [] if batch <= smallest else [
        f"The smallest size group has {smallest} training images, fewer than a batch of {batch}: images repeat within "
        "a batch, each time mirrored and rotated anew. So few images train nothing that holds for others."]


def train_all(configuration: DetectorConfiguration, folder: RunFolder, machine: Machine, prepared: PreparedSet,
              groups: SizeGroups) -> None:
    """The trainings that are not finished yet, several at a time; on a GPU, or where several processes share each of
    them, they follow each other."""
    workers = 1 if machine.device == "cuda" else machine.workers
    executors = open_executor(workers, machine.scheduler) if machine.ranks is None else ThreadPoolExecutor(1)
    with executors as executor, claimed(folder.path) as claim:
        shared = Pickled.of(prepared)
        tasks = [DetectorTask(group, loss, claim, configuration, shared, groups, machine.device,
                              machine.tensorboard, machine.ranks)
                 for loss, group in DETECTORS]
        unfinished = {task.name: task for task in tasks if not task.results.exists()}
        if unfinished:
            announce(f"Run folder: {folder.path}\nTraining: {len(unfinished)} detectors, {configuration.total_steps} "
                     f"steps of {configuration.batch} images each, preset {configuration.preset}")
            with timing(folder.path):
                run_jobs(unfinished, train_detector, executor, configuration.total_steps)


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    add_flags(new, PRESETS, "Table 4.4")
    add_folder_flags(new)
    add_machine_flags(new, "processes that preprocess images, and trainings at a time; on a GPU they follow each other")
    return new


if __name__ == "__main__":
    run_command(main, RESUME, on_ranks=True)
