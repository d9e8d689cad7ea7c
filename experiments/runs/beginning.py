"""How a run of any experiment begins or goes on: its flags, its folder and configuration, its data and their split."""
from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.configuration.flags import configure_from
from experiments.configuration.training import Kind, TrainingConfiguration
from experiments.inputs.loading import Data
from experiments.runs.folder import RunFolder, choose_folder
from experiments.runs.resuming import go_on, resumed_configuration
from experiments.system.argument_types import whole_number
from experiments.system.device import array_module
from experiments.system.durations import in_words
from experiments.system.errors import Failure, UsageError
from experiments.system.files import write_json
from experiments.system.folders import folder_name, require_apart
from experiments.system.lock import locked
from experiments.system.progress import announce


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


def steps_done(folder: RunFolder) -> int:
    """As far as it is logged: every tenth step."""
    return max((entry["step"] for entry in folder.history()), default=0)


def keep_times(folder: RunFolder, data: Data) -> None:
    """Into config.json, when the run is finished: what was expected and how long it took, in seconds by part.

    A finished run that is reported on anew keeps the times of its training.
    """
    if data.expected.get("training") == 0:
        return
    expected = f"; expected were {in_words(sum(data.expected.values()))}" if data.expected else ""
    announce(f"It took {in_words(sum(data.took.values()))}{expected}")
    write_json(folder.config, folder.record() | {
        "times": {"from_step": data.from_step, "expected": dict(data.expected), "took": data.took}})


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
