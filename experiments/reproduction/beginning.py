"""How a reproduction begins or goes on: its folder, its configuration, its config.json."""
from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from experiments.configuration.training import PLACES, flag
from experiments.inputs.loading import load
from experiments.reproduction.configuration import (
    RecordedReproduction,
    ReproductionConfiguration,
    chosen_configuration,
    targets,
)
from experiments.runs.beginning import command_line
from experiments.runs.folder import RunFolder, choose_folder
from experiments.runs.resuming import require_experiment
from experiments.system.durations import Parts
from experiments.system.errors import Failure, UsageError
from experiments.system.folders import require_apart
from experiments.system.lock import locked
from experiments.system.machine import Machine
from experiments.system.versions import now, versions

EXPERIMENT = "reproduce"


@dataclass(frozen=True, slots=True)
class Took:
    """The seconds that a command was expected to take, by part, and took."""
    expected: dict[str, float]
    took: float


@dataclass(frozen=True, slots=True)
class ReproductionRecord:
    """config.json. times: for each time that the command came to its end."""
    experiment: str
    configuration: RecordedReproduction
    command: str
    started: str
    versions: dict[str, str]
    times: list[Took] = field(default_factory=list)


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the flags say, by name; folders as absolute paths."""
    given = {name: getattr(arguments, name) for name in targets() if getattr(arguments, name) is not None}
    return given | {name: str(Path(given[name]).resolve()) for name in PLACES if name in given}


@contextmanager
def begin(given: Mapping[str, Any], seeds: int | None, retraining_steps: int | None, output: str | None, resume: bool
          ) -> Iterator[tuple[ReproductionConfiguration, RunFolder]]:
    """The configuration and the folder, which belongs to this command alone as long as the context lasts.

    given, seeds, retraining_steps: of a new run what the flags say beside the preset; of the run to resume they must
    not contradict its own, but for the number of seeds, which may change. Raises UsageError where they do.
    """
    new = chosen_configuration(given, seeds, retraining_steps)
    label = f"{Path(new.classifiers.data or 'synthetic').name}-{new.classifiers.preset}"
    if output or not resume:
        require_apart(Path(output or f"runs/{EXPERIMENT}-..."), asdict(new.classifiers))
    folder = RunFolder(choose_folder(output, resume, EXPERIMENT, label))
    if resume:
        folder.require_begun()
    with locked(folder.path):
        if not resume:
            folder.require_new()
        yield _resumed(folder, given, seeds, retraining_steps) if folder.exists() else new, folder


def _resumed(folder: RunFolder, given: Mapping[str, Any], seeds: int | None, retraining_steps: int | None
             ) -> ReproductionConfiguration:
    require_experiment(folder, EXPERIMENT)
    recorded = folder.record_as(ReproductionRecord).configuration.configuration(folder.config)
    known = {name: recorded.setting(name) for name in given} | {"retraining_steps": recorded.retraining_steps}
    asked = dict(given) | ({} if retraining_steps is None else {"retraining_steps": retraining_steps})
    for name, value in asked.items():
        if known[name] != value and not (name in PLACES and known[name] is not None):  # of the same data
            raise UsageError(f"{flag(name)} {value}: the run in {folder.path} has {known[name]}. Resume without that "
                             "flag, or start another run")
    moved = recorded.with_settings({name: given[name] for name in PLACES if name in given})
    return moved if seeds is None else replace(moved, seeds=seeds)


def require_same_data(folder: RunFolder, configuration: ReproductionConfiguration, machine: Machine) -> None:
    """Raises Failure where the data are not those that a stage had, after they have moved."""
    if not folder.exists():
        return
    before = folder.record_as(ReproductionRecord).configuration.configuration(folder.config)
    if all(before.setting(name) == configuration.setting(name) for name in PLACES):
        return
    had = {RunFolder(path.parent).record().data.fingerprint for path in folder.path.glob("*/config.json")}
    now_there = load(configuration.detectors, machine).record.fingerprint
    if had - {now_there}:
        raise Failure(f"--data {configuration.detectors.data}: these are not the data that the run in {folder.path} "
                      "began with (another fingerprint). Name the folder that those have moved to, or start another "
                      "run")


def keep(folder: RunFolder, configuration: ReproductionConfiguration) -> None:
    """config.json of a new run; in that of a resumed one, the number of seeds and the places of the data as they are
    now."""
    if folder.exists():
        folder.rewrite(replace(folder.record_as(ReproductionRecord), configuration=configuration.record()))
    else:
        folder.create(ReproductionRecord(EXPERIMENT, configuration.record(), command_line(), now(), versions()))


def keep_times(folder: RunFolder, expected: Parts, took: float) -> None:
    """Into config.json, for each time that the command came to the end."""
    record = folder.record_as(ReproductionRecord)
    folder.rewrite(replace(record, times=[*record.times, Took(dict(expected), took)]))
