"""How a run of a command that trains begins or goes on: its folder, its configuration, its config.json."""
from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from experiments.configuration.flags import configure
from experiments.configuration.training import Kind, TrainingConfiguration
from experiments.inputs.loading import Data
from experiments.inputs.size_groups import GroupsRecord
from experiments.runs.folder import RunFolder, choose_folder
from experiments.runs.record import DecompositionOrigin, DetectorsOrigin, RunRecord, Times
from experiments.runs.resuming import go_on, resumed_configuration
from experiments.system.durations import in_words
from experiments.system.errors import Failure
from experiments.system.folders import folder_name, require_apart
from experiments.system.lock import locked
from experiments.system.machine import Machine
from experiments.system.progress import announce
from experiments.system.ranks import launched
from experiments.system.versions import now, versions


def add_folder_flags(parser: argparse.ArgumentParser) -> None:
    """--output and --resume."""
    parser.add_argument("--output", metavar="DIR", type=folder_name,
                        help="folder of the run (default: a new one under runs/)")
    parser.add_argument("--resume", action="store_true",
                        help="continue the run in --output, or the newest one under runs/, from its last checkpoint; "
                             "with more --steps a finished one is trained on, with --data its data may have moved")


@contextmanager
def begin(experiment: str, presets: Mapping[str, Kind], given: Mapping[str, Any], output: str | None, resume: bool
          ) -> Iterator[tuple[Kind, RunFolder]]:
    """The configuration of the run and its folder, which belongs to this command alone as long as the context lasts.

    given: the settings that the flags name: of a new run beside the preset's, of the run to resume they must not
    contradict its own. output, resume: the flags.
    """
    kind = type(presets["thesis"])
    if resume:
        folder = RunFolder(choose_folder(output, True, experiment, ""))
        folder.require_begun()
        if folder.exists():
            with locked(folder.path):
                configuration = resumed_configuration(folder, experiment, kind, given)
                require_apart(folder.path, asdict(configuration))
                yield configuration, folder
            return
        print(f"The run in {folder.path} was stopped before it wrote anything: it begins now")
    new = configure(presets, given)
    require_apart(Path(output or f"runs/{experiment}-..."), asdict(new))
    label = f"{Path(new.data or 'synthetic').name}-{new.preset}"
    folder = RunFolder(choose_folder(output, False, experiment, label))
    with locked(folder.path):
        folder.require_new()
        yield new, folder


@contextmanager
def begin_or_go_on(experiment: str, configuration: Kind, path: Path) -> Iterator[tuple[Kind, RunFolder]]:
    """As `begin`, of the run in that folder: a new one with this configuration, or the one that is there, which must
    not contradict it."""
    folder = RunFolder(path)
    with locked(path):
        if folder.exists():
            given = {name: value for name, value in asdict(configuration).items() if value is not None}
            configuration = resumed_configuration(folder, experiment, type(configuration), given)
        else:
            folder.require_new()
        yield configuration, folder


def open_run(experiment: str, folder: RunFolder, configuration: TrainingConfiguration, data: Data, machine: Machine, *,
             detectors: DetectorsOrigin | None = None, decomposition: DecompositionOrigin | None = None,
             groups: GroupsRecord | None = None, end2end: RunFolder | None = None) -> RunRecord:
    """config.json, written for a new run; of a resumed one, make sure that the data are still those it began with.

    The last four: what else it is to say, see `RunRecord`.
    """
    if folder.exists():
        if folder.record().data.fingerprint != data.record.fingerprint:
            raise Failure(f"the data are not those that the run in {folder.path} began with (another fingerprint). "
                          "Restore them, name the folder that they have moved to with --data, or start another run")
        go_on(folder, configuration, command_line())
    else:
        folder.create(RunRecord(
            experiment, configuration.record(), data.record, command_line(), machine.device, now(), versions(),
            detectors, decomposition, groups, None if end2end is None else str(end2end.path.resolve())))
    return folder.record()


def steps_done(folder: RunFolder) -> int:
    """As far as it is logged: every tenth step."""
    return max((entry.step for entry in folder.history()), default=0)


def keep_times(folder: RunFolder, data: Data) -> None:
    """Into config.json, when the run is finished: what was expected and how long it took, in seconds by part.

    A finished run that is reported on anew keeps the times of its training.
    """
    if data.expected.get("training") == 0:
        return
    expected = f"; expected were {in_words(sum(data.expected.values()))}" if data.expected else ""
    announce(f"It took {in_words(sum(data.took.values()))}{expected}")
    folder.rewrite(replace(folder.record(), times=Times(data.from_step, dict(data.expected), data.took)))


def command_line() -> str:
    """The command that this process was started by, with the number of those that were started with it: the sums of
    another number round otherwise."""
    size = launched(os.environ)[1]
    return shlex.join([*(["mpiexec", "-n", str(size)] if size > 1 else []), "python", *sys.argv])
