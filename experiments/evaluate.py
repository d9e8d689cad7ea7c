"""A trained run on another data set than its own: train on A, test on B.

    python experiments/evaluate.py runs/RUN --data OTHER
    python experiments/evaluate.py runs/RUN --data OTHER --unit patient --over maximum
    python experiments/evaluate.py runs/ROI_RUN --data OTHER --output runs/elsewhere
    python experiments/evaluate.py runs/RUN --data CDD-CESM --views low-energy

RUN: the folder of a finished run of end2end.py, decomposition.py, retraining.py or roi_detection.py. The other set is
read by the same readers and prepared as the run's own images were. Of a classifier every table, curve and interval is
given for it, beside those of the run's own test set, with the difference; of ROI detectors what they find, over false
marks and by size. Images of the other set that the run learned from are found by their pixels, and left out with all
images of these patients.

--unit says what is counted, and --over how the outputs for the images of one breast or patient become one. A network
of two classes is evaluated without the normal images of the set. A research and teaching tool, not for diagnosis.
"""
from __future__ import annotations

if __name__ == "__main__":
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from experiments.system.command import before_imports

    before_imports()

import argparse
import os
from functools import partial
from pathlib import Path
from typing import Any

from experiments.configuration.detector import DetectorConfiguration
from experiments.datasets.choices import BIRADS, LOW_ENERGY, VIEWS, Choices
from experiments.datasets.images.sizes import add_max_pixels
from experiments.evaluating import classifier, classifier_report, detectors, detectors_report
from experiments.evaluating.detections import write_detections
from experiments.evaluating.folder import require_free
from experiments.evaluating.other import OtherSet, describe, open_other
from experiments.evaluating.record import EXPERIMENT, EvaluationRecord
from experiments.evaluating.run import EvaluatedRun, open_evaluated
from experiments.evaluation.unit import IMAGE, IMAGES, KINDS, MEAN, OVER, Unit
from experiments.runs.beginning import command_line
from experiments.runs.folder import RunFolder, choose_folder
from experiments.system.argument_types import whole_number
from experiments.system.command import run_command
from experiments.system.command_parser import CommandParser
from experiments.system.device import array_module
from experiments.system.durations import timed
from experiments.system.errors import UsageError
from experiments.system.folders import folder_name, folder_path, require_apart
from experiments.system.lock import locked
from experiments.system.machine import Machine
from experiments.system.progress import announce
from experiments.system.versions import now, versions


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    unit = chosen_unit(arguments.unit, arguments.over)
    if arguments.workers < 1:
        raise UsageError(f"--workers {arguments.workers}: expected at least 1")
    array_module(arguments.device)  # a missing GPU is known before anything is read
    machine = Machine(arguments.device, Path(arguments.cache).resolve(), arguments.workers)
    evaluated = open_evaluated(arguments.run)
    if unit.kind != IMAGE and isinstance(evaluated.configuration, DetectorConfiguration):
        raise UsageError(f"--unit {unit.kind}: {arguments.run} holds detectors, whose figures count images and lesions")
    choices = Choices(arguments.max_pixels or evaluated.configuration.max_pixels, arguments.views, arguments.birads)
    require_apart(Path(arguments.output or f"runs/{EXPERIMENT}-..."), {"data": str(arguments.data)})
    label = f"{arguments.run.resolve().name[:24]}-on-{arguments.data.resolve().name}"
    folder = RunFolder(choose_folder(arguments.output, False, EXPERIMENT, label))
    with locked(folder.path):
        require_free(folder)
        run(evaluated, arguments.data, choices, unit, folder, machine)


def chosen_unit(kind: Any, over: Any) -> Unit:
    """By the flags; the mean where --over is not given."""
    if kind != IMAGE:
        return Unit(kind, over or "mean")
    if over is not None:
        raise UsageError(f"--over {over}: an image has one output. Add --unit breast or --unit patient")
    return IMAGES


def run(evaluated: EvaluatedRun, data: Path, choices: Choices, unit: Unit, folder: RunFolder, machine: Machine) -> None:
    """data: the folder of the other set, which choices are of; folder: where everything is written, at the end."""
    evaluate = of_detectors if isinstance(evaluated.configuration, DetectorConfiguration) else of_classifier
    evaluate(evaluated, data, choices, unit, folder, machine)


def of_classifier(evaluated: EvaluatedRun, data: Path, choices: Choices, unit: Unit, folder: RunFolder,
                  machine: Machine) -> None:
    started, own = now(), classifier.own_answers(evaluated)
    trained = classifier.load(evaluated, machine.device)
    other = open_other(evaluated, data, choices, machine, partial(classifier.expected, trained))
    announce(describe(other.record))
    with timed(other.took, "evaluating"):
        seen = classifier.images_seen(trained, other, machine)
        images = classifier.answers(trained, seen, other)
        given = classifier.in_units(own, images, unit, other.record.name)
        found = classifier.transfer(given, other.record)
    record = record_of(evaluated, other, data, choices, unit, machine, started)
    classifier_report.report(folder, record, evaluated, found, given, images, other, seen, trained.provenance)
    print(f"{classifier_report.headline(found)}\nReport: {folder.path / 'report.html'}")


def of_detectors(evaluated: EvaluatedRun, data: Path, choices: Choices, unit: Unit, folder: RunFolder,
                 machine: Machine) -> None:
    started, own = now(), detectors.own_results(evaluated)
    trained = detectors.load(evaluated, machine.device)
    other = open_other(evaluated, data, choices, machine, partial(detectors.expected, trained))
    announce(describe(other.record))
    with timed(other.took, "evaluating"):
        images = detectors.sorted_images(other, own.groups.bounds)
        found, overlapping = detectors.transfer(trained, own, images, other)
        examples = detectors.examples(trained, images, other)
    record = record_of(evaluated, other, data, choices, unit, machine, started)
    write_detections(folder.path / "predictions.csv", other.prepared, images, overlapping)
    detectors_report.report(folder, record, evaluated, found, images, examples, detectors.origin(trained))
    print("\n".join([*detectors_report.sentences(found, f"images of {other.record.name}"),
                     f"Report: {folder.path / 'report.html'}"]))


def record_of(evaluated: EvaluatedRun, other: OtherSet, data: Path, choices: Choices, unit: Unit, machine: Machine,
              started: str) -> EvaluationRecord:
    return EvaluationRecord(
        EXPERIMENT, str(evaluated.folder.path.resolve()), evaluated.record.experiment, evaluated.digests(),
        evaluated.record.data, other.record, str(data.resolve()), choices, unit, command_line(), machine.device,
        started, versions(), other.took)


def parser() -> argparse.ArgumentParser:
    new = CommandParser(__doc__)
    new.add_argument("run", metavar="RUN", type=folder_path, help="folder of the finished run")
    new.add_argument("--data", metavar="OTHER", type=folder_path, required=True,
                     help="folder of the other data set, in any of the formats that the other commands read")
    new.add_argument("--unit", choices=KINDS, default=IMAGE,
                     help="what the figures of a classifier count (default: image)")
    new.add_argument("--over", choices=OVER, help=f"how the outputs for the images of one breast or patient become one "
                                                  f"(default: {MEAN})")
    new.add_argument("--views", choices=VIEWS, default=LOW_ENERGY,
                     help=f"which images of contrast-enhanced examinations, CDD-CESM's (default: {LOW_ENERGY})")
    new.add_argument("--birads", metavar="MAP", default=BIRADS,
                     help="the classes that BI-RADS assessments stand for, where the set tells no pathology (default: "
                          f"'{BIRADS}'); images of other assessments are left out")
    add_max_pixels(new, default=None)
    new.add_argument("--output", metavar="DIR", type=folder_name,
                     help="folder of the evaluation (default: a new one under runs/)")
    new.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    new.add_argument("--cache", metavar="DIR", type=folder_name, default="runs/cache",
                     help="where preprocessed images are kept for the next run (default: runs/cache)")
    new.add_argument("--workers", type=whole_number, default=os.cpu_count() or 1, metavar="N",
                     help="processes that preprocess images (default: one for each processor)")
    return new


if __name__ == "__main__":
    run_command(main)
