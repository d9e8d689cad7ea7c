"""How a run of any experiment begins or goes on: its flags, its folder and configuration, its data and their split."""
from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.argument_types import whole_number
from experiments.configuration import Kind, TrainingConfiguration, configure_from
from experiments.dataset_choice import chosen_dataset
from experiments.datasets.record import THESIS, Mammogram
from experiments.device import array_module
from experiments.duration import Parts, preparing, sentence, timed
from experiments.errors import Failure, UsageError
from experiments.folders import folder_name, require_apart
from experiments.lock import locked
from experiments.prepared import PreparedSet, missing_entries, prepare
from experiments.preprocessing import Preprocessing
from experiments.progress import announce, duration
from experiments.reporting.files import write_json
from experiments.resuming import go_on, resumed_configuration
from experiments.run_folder import RunFolder, choose_folder
from experiments.splitting import require_all_classes, split


@dataclass(frozen=True, slots=True)
class Data:
    """The prepared images, which of them train and which test, and what the report says of them.

    expected, took: the seconds of the run by part, before it and as it goes. from_step: that its training begins at,
    above 0 in a run that was interrupted: what it did before is not in them.
    """
    prepared: PreparedSet
    train: np.ndarray
    test: np.ndarray
    record: dict[str, Any]
    expected: Parts = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    from_step: int = 0


def add_run_flags(parser: argparse.ArgumentParser, workers: str) -> None:
    """--output, --resume, --device, --cache and --workers. workers: what the processes do."""
    parser.add_argument("--output", metavar="DIR", type=folder_name,
                        help="folder of the run (default: a new one under runs/)")
    parser.add_argument("--resume", action="store_true",
                        help="continue the run in --output, or the newest one under runs/, from its last checkpoint; "
                             "with more --steps a finished one is trained on, with --data its data may have moved")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    parser.add_argument("--cache", metavar="DIR", type=folder_name, default="runs/cache",
                        help="where preprocessed images are kept for the next run (default: runs/cache)")
    parser.add_argument("--workers", type=whole_number, default=os.cpu_count() or 1, metavar="N",
                        help=f"{workers} (default: one for each processor)")


@contextmanager
def begin(experiment: str, presets: Mapping[str, Kind], arguments: argparse.Namespace
          ) -> Iterator[tuple[RunFolder, Kind]]:
    """The folder of the run, which belongs to this command alone as long as the context lasts, and its configuration:
    by the flags, or, of the run to resume, what they must not contradict."""
    if arguments.workers < 1:
        raise UsageError(f"--workers {arguments.workers}: expected at least 1")
    array_module(arguments.device)  # a missing GPU is known before the data are prepared
    resolve_folders(arguments)
    kind = type(presets["thesis"])
    if arguments.resume:
        folder = RunFolder(choose_folder(arguments.output, True, experiment, ""))
        folder.require_begun()
        if folder.exists():
            with locked(folder.path):
                configuration = resumed_configuration(folder, experiment, kind, arguments)
                require_apart(folder.path, asdict(configuration))
                yield folder, configuration
            return
        print(f"The run in {folder.path} was stopped before it wrote anything: it begins now")
    new = configure_from(presets, arguments)
    require_apart(Path(arguments.output or f"runs/{experiment}-..."), asdict(new))
    folder = RunFolder(choose_folder(arguments.output, False, experiment,
                                     f"{Path(new.data or 'synthetic').name}-{new.preset}"))
    with locked(folder.path):
        folder.require_new()
        yield folder, new


def resolve_folders(arguments: argparse.Namespace) -> None:
    """--data and --normals as absolute paths: a run may be resumed from another folder."""
    for name in ("data", "normals"):
        if getattr(arguments, name) is not None:
            setattr(arguments, name, str(Path(getattr(arguments, name)).resolve()))


def load(configuration: TrainingConfiguration, cache: Path, workers: int, every_class: bool = False,
         expect: Callable[[Sequence[Mammogram]], Parts] | None = None) -> Data:
    """4.1: read, preprocess (from the cache what is there already), split by patient.

    expect: the seconds that the rest of the run takes on these mammograms; if given, the terminal is told beforehand.
    every_class: raise Failure where a class has no images, before and after they are prepared.
    """
    classes = configuration.class_names
    dataset = chosen_dataset(configuration)
    if every_class:
        require_all_classes(np.array([classes.index(each.label) for each in dataset.mammograms], dtype=int), classes)
    preprocessing = Preprocessing(configuration.side, configuration.working_side, configuration.clip_limit)
    expected: Parts = {}
    if expect is not None:
        missing = missing_entries(dataset.mammograms, preprocessing, cache)
        expected = {"preparing": preparing(missing, workers), **expect(dataset.mammograms)}
        announce(f"This run is {sentence(expected)}")
    took: dict[str, float] = {}
    with timed(took, "preparing"):
        prepared = prepare(dataset.mammograms, preprocessing, cache, workers, classes=classes)
    if every_class:
        require_all_classes(prepared.labels, classes)
    train, test = split(prepared.labels, prepared.patients, configuration.seed, classes=classes)
    record = {"name": dataset.name, "is_ddsm": dataset.name == THESIS, "fingerprint": prepared.fingerprint,
              "images": len(prepared), "patients": len(set(prepared.patients)), "excluded": dataset.excluded,
              "dropped": prepared.dropped, "notes": list(dataset.notes)}
    for name, indices in (("train", train), ("test", test)):
        counts = np.bincount(prepared.labels[indices], minlength=len(classes))
        record[name] = dict(zip(classes, counts.tolist(), strict=True))
        record[f"{name}_patients"] = len(set(prepared.patients[indices]))
    return Data(prepared, train, test, record, expected, took)


def steps_done(folder: RunFolder) -> int:
    """As far as it is logged: every tenth step."""
    return max((entry["step"] for entry in folder.history()), default=0)


def keep_times(folder: RunFolder, data: Data) -> None:
    """Into config.json, when the run is finished: what was expected and how long it took, in seconds by part.

    A finished run that is reported on anew keeps the times of its training.
    """
    if data.expected.get("training") == 0:
        return
    expected = f"; expected were {duration(sum(data.expected.values()))}" if data.expected else ""
    announce(f"It took {duration(sum(data.took.values()))}{expected}")
    write_json(folder.config, folder.record() | {
        "times": {"from_step": data.from_step, "expected": dict(data.expected), "took": data.took}})


def describe(record: dict[str, Any]) -> str:
    """What the data are, and what was left out of them and why, for the terminal."""
    lines = [f"Data: {record['name']}, {record['images']} images of {record['patients']} patients",
             *(f"  {note}" for note in record["notes"])]
    left_out = record["excluded"] | record["dropped"]
    lines += [f"  left out: {count} ({reason})" for reason, count in left_out.items()] or [
        "  left out: 0 (no hybrids, no annotation lost by the crop)"]
    lines += [f"  {name}: " + ", ".join(f"{count} {label}" for label, count in record[name].items())
              + f", {record[f'{name}_patients']} patients" for name in ("train", "test")]
    return "\n".join(lines)


def open_run(experiment: str, folder: RunFolder, configuration: TrainingConfiguration, data: Data, device: str,
             more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write config.json of a new run; of a resumed one, make sure that the data are still those it began with.

    more: what else config.json is to hold.
    """
    if folder.exists():
        if folder.record()["data"]["fingerprint"] != data.record["fingerprint"]:
            raise Failure(f"the data are not those that the run in {folder.path} began with (another fingerprint). "
                          "Restore them, name the folder that they have moved to with --data, or start another run")
        go_on(folder, configuration, command_line())
        return folder.record()
    folder.create({"experiment": experiment, "configuration": asdict(configuration), "data": data.record,
                   **(more or {}), "device": device, "command": command_line()})
    return folder.record()


def command_line() -> str:
    """The command that this process was started by."""
    return shlex.join(["python", *sys.argv])
