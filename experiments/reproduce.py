"""Everything: chapter 4 of the thesis and its appendix A.1-A.2, every table and figure beside ours, in one report.

    python experiments/reproduce.py                                  synthetic images, some minutes on a CPU
    python experiments/reproduce.py --seeds 3                        both classifiers three times: mean and spread
    python experiments/reproduce.py --data DIR                       your mammograms, with masks of the lesions
    python experiments/reproduce.py --data DDSM --preset thesis --device cuda
    python experiments/reproduce.py --resume                         go on with the newest where it stopped
    python experiments/reproduce.py --resume --seeds 5               and train further seeds, too

In order: the end-to-end classifier, the ten ROI detectors, the decomposition, its retraining, the audit of the thesis's
tables, statistics. Each is a run of its own command in a folder of its own; those that are finished are skipped, an
unfinished one goes on from its last checkpoint. All share the preprocessed images and their split.

Several seeds vary initial weights, batches and dropout of the two classifiers. Images, split and detectors stay those
of --seed, so that all trainings are tested on the same images. The retraining is of the first seed alone.

Data that lack a class, such as a set without normal images, serve for ROI detection alone, and the report says so.
It begins by saying how long all of this will take on this machine. A research and teaching tool, not for diagnosis.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from time import perf_counter

from experiments import audit, decomposition, end2end, retraining, roi_detection
from experiments.configuration.training import Kind
from experiments.datasets.mammogram import Mammogram
from experiments.inputs import loading
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.selection import chosen_dataset
from experiments.reproduction.beginning import (
    ReproductionRecord,
    begin,
    given_settings,
    keep,
    keep_times,
    require_same_data,
)
from experiments.reproduction.configuration import ReproductionConfiguration, add_reproduction_flags
from experiments.reproduction.report import gather, write_reproduction
from experiments.reproduction.statistics import seed_statistics
from experiments.runs.beginning import add_folder_flags, begin_or_go_on
from experiments.runs.finished import finished
from experiments.runs.folder import RunFolder
from experiments.system.command import RESUME, run_command
from experiments.system.command_parser import CommandParser
from experiments.system.durations import Parts, in_words
from experiments.system.machine import Machine, add_machine_flags, chosen_machine
from experiments.system.progress import announce
from experiments.system.records import write_record
from experiments.system.stages import Stage, announce_stages, run_stages

LAST = "report.html"  # the file that a run of a command writes last
DETECTORS, RETRAINING, AUDIT = roi_detection.EXPERIMENT, retraining.EXPERIMENT, "audit"  # folders of stages


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    machine, given = chosen_machine(arguments), given_settings(arguments)
    with begin(given, arguments.seeds, arguments.retraining_steps, arguments.output, arguments.resume) as (
            configuration, folder):
        run(configuration, folder, machine)


def run(configuration: ReproductionConfiguration, folder: RunFolder, machine: Machine) -> None:
    dataset = chosen_dataset(configuration.classifiers)
    loading.require_masks(dataset)
    mammograms = dataset.mammograms
    present = {each.label for each in mammograms}
    missing = [name for name in configuration.classifiers.class_names if name not in present]
    stages = [*(detection_stages if missing else all_stages)(configuration, folder.path, machine, mammograms),
              Stage("report", lambda: report(configuration, folder, missing))]
    require_same_data(folder, configuration, machine)
    keep(folder, configuration)
    started = perf_counter()
    expected = announce_stages(stages, folder.path, partial(preparation, configuration, machine, mammograms))
    run_stages(stages, f"python experiments/reproduce.py --resume --output {folder.path}")
    took = perf_counter() - started
    announce(f"It took {in_words(took)}; expected were {in_words(sum(expected.values()))}")
    keep_times(folder, expected, took)


def all_stages(configuration: ReproductionConfiguration, folder: Path, machine: Machine,
               mammograms: Sequence[Mammogram]) -> list[Stage]:
    """In order. Two seeds of a classifier take as long as each other: what one takes is measured once."""
    images, first = len(mammograms), configuration.training_seeds[0]
    detectors, audited = detection_stages(configuration, folder, machine, mammograms)

    @cache
    def one_channel() -> Parts:
        return end2end.expected(configuration.end2end(first), machine, images)

    @cache
    def two_channels(detecting: bool) -> Parts:
        return decomposition.expected(configuration.decomposition(first),
                                      configuration.detectors if detecting else None, machine, images)

    def end2end_stage(seed: int) -> Stage:
        return _stage(place(folder, "end2end", seed), f"end-to-end classifier, training seed {seed}", "end2end",
                      configuration.end2end(seed), lambda own, there: end2end.run(own, there, machine), one_channel)

    def decomposition_stage(seed: int) -> Stage:
        return _stage(place(folder, "decomposition", seed), f"decomposition, training seed {seed}", "decomposition",
                      configuration.decomposition(seed), lambda own, there: decomposition.run(
                          own, there, machine, folder / DETECTORS, place(folder, "end2end", seed)),
                      lambda: two_channels(seed == first))

    retrained = _stage(
        folder / RETRAINING, "retraining without the detectors' masks", RETRAINING, configuration.retraining,
        lambda own, there: retraining.run(own, there, machine, finished(
            place(folder, "decomposition", first), "decomposition"), place(folder, "end2end", first)),
        lambda: retraining.expected(configuration.retraining, machine, images))
    return [*map(end2end_stage, configuration.training_seeds), detectors,
            *map(decomposition_stage, configuration.training_seeds), retrained, audited,
            Stage("statistics", lambda: statistics(configuration, folder))]


def detection_stages(configuration: ReproductionConfiguration, folder: Path, machine: Machine,
                     mammograms: Sequence[Mammogram]) -> list[Stage]:
    """All that can be made of data that lack a class."""
    return [_stage(folder / DETECTORS, f"ROI detection, {len(roi_detection.DETECTORS)} detectors", DETECTORS,
                   configuration.detectors, lambda own, there: roi_detection.run(own, there, machine),
                   lambda: {} if machine.scheduler else roi_detection.expected(  # a cluster's speed is not known
                       configuration.detectors, machine, mammograms)),
            Stage("audit of the thesis's tables", lambda: audit.run(folder / AUDIT), folder / AUDIT / LAST)]


def _stage(folder: Path, title: str, experiment: str, configuration: Kind, run: Callable[[Kind, RunFolder], None],
           seconds: Callable[[], Parts]) -> Stage:
    """A run of a command in a folder of its own."""
    def make() -> None:
        with begin_or_go_on(experiment, configuration, folder) as (own, there):
            run(own, there)

    return Stage(title, make, folder / LAST, seconds)


def place(folder: Path, command: str, seed: int) -> Path:
    return folder / f"{command}-seed{seed}"


def statistics(configuration: ReproductionConfiguration, folder: Path) -> None:
    first, second = ([place(folder, command, seed) for seed in configuration.training_seeds]
                     for command in ("end2end", "decomposition"))
    write_record(folder / "statistics.json", seed_statistics(first, second, folder / RETRAINING))


def preparation(configuration: ReproductionConfiguration, machine: Machine, mammograms: Sequence[Mammogram]) -> Parts:
    """The seconds for the images that the cache lacks; all stages share them."""
    return loading.preparation(mammograms, Preprocessing.of(configuration.classifiers), machine)


def report(configuration: ReproductionConfiguration, folder: RunFolder, missing: list[str]) -> None:
    material = gather(folder.path, configuration.training_seeds, missing)
    sentences = write_reproduction(folder.path, folder.record_as(ReproductionRecord), material)
    print("\n".join([*sentences, f"Report: {folder.path / 'report.html'}"]))


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    add_reproduction_flags(new)
    add_folder_flags(new)
    add_machine_flags(new, "processes that preprocess images, and detectors trained at a time")
    return new


if __name__ == "__main__":
    run_command(main, RESUME, on_ranks=True)
