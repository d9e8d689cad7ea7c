"""How a run goes on: with the configuration it began with, but for more steps or another place of the same data."""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.checkpoint import Checkpoint
from experiments.configuration.flags import given_flags
from experiments.configuration.recorded import recorded_configuration
from experiments.configuration.training import Kind, TrainingConfiguration, flag
from experiments.runs.folder import RunFolder
from experiments.system.errors import Failure, UsageError
from experiments.system.files import write_json

LENGTH = ("steps", "epochs")  # how long a run trains: the rate does not depend on it
PLACES = ("data", "normals")  # where the data are: what they are, their fingerprint says
PART = "roi_detector"  # what config.json of one of the ten trainings of 4.3 says that it is
FINISHED = ("results.json", "report.html")  # the marks of a run, or of a part of it, that is trained no further


def resumed_record(folder: RunFolder, experiment: str) -> dict[str, Any]:
    """config.json of the run to resume. Raises UsageError where it is a run of another command."""
    record = folder.record()
    if record["experiment"] != experiment:
        raise UsageError(f"the run in {folder.path} is one of experiments/{record['experiment']}.py; resume it there, "
                         "or choose another folder with --output")
    return record


def resumed_configuration(folder: RunFolder, experiment: str, kind: type[Kind], arguments: argparse.Namespace) -> Kind:
    """The recorded configuration with what the flags may change: --steps or --epochs, to train on, and --data and
    --normals, where the data have moved. Raises UsageError for any other flag that contradicts it."""
    recorded = recorded_configuration(kind, resumed_record(folder, experiment)["configuration"], folder.config)
    given = given_flags(arguments, kind)
    for name, value in given.items():
        known = getattr(recorded, name)
        if known != value and (name not in LENGTH + PLACES or (name in PLACES and known is None)):
            raise UsageError(f"the run in {folder.path} has {name} {known}, the flag says {value}. Resume without that "
                             "flag, or start another run")
    if given.get("epochs", recorded.epochs) != recorded.epochs and recorded.schedule == "cosine":
        raise UsageError(f"--epochs {given['epochs']}: the learning rate of the run in {folder.path} falls within its "
                         f"{recorded.epochs} epochs. Train on by --steps, at the rate that it ended with, or start "
                         "another run")
    if "epochs" in given:
        given.setdefault("steps", None)  # so many epochs in all, however many steps were asked for before
    wanted = replace(recorded, **given)
    if wanted.total_steps < recorded.total_steps:
        which = "steps" if given.get("steps") else "epochs"
        raise UsageError(f"{flag(which)} {given[which]}: the run in {folder.path} has {recorded.total_steps} steps; it "
                         "can be trained on, and not shortened")
    if wanted.total_steps == recorded.total_steps:
        wanted = replace(wanted, steps=recorded.steps, epochs=recorded.epochs)
    return wanted


def go_on(folder: RunFolder, configuration: TrainingConfiguration, command: str) -> None:
    """Record in config.json, and in those of the parts of the run, that it goes on with this configuration.

    Where it trains on, it is no finished run any more: its results are removed first.
    """
    record, new = folder.record(), asdict(configuration)
    changed = {name: {"from": value, "to": new[name]} for name, value in record["configuration"].items()
               if value != new[name]}
    if not changed:
        return
    if changed.keys() & set(LENGTH):
        for path in (place / name for place in (folder.path, *_parts(folder)) for name in FINISHED):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise Failure(f"{path} cannot be removed: {error.strerror}") from error
    change = {"at": datetime.now().isoformat(timespec="seconds"), "command": command, "configuration": changed}
    for each in (*map(RunFolder, _parts(folder)), folder):
        known = each.record()
        write_json(each.config, known | {"configuration": new, "changes": [*known.get("changes", []), change]})


def _parts(folder: RunFolder) -> list[Path]:
    """The folders of trainings that are parts of the run."""
    return sorted(path.parent for path in folder.path.glob("*/config.json")
                  if RunFolder(path.parent).record().get("experiment") == PART)


def require_same_run(checkpoint: Checkpoint, configuration: TrainingConfiguration, trained_on: Mapping[str, Any],
                     place: object) -> None:
    """Raises Failure where the checkpoint is of another training than config.json tells of, or on other data.

    Another seed would be another split: images that this network learned from would test it. place: of the checkpoint.
    """
    own = {name: value for name, value in asdict(configuration).items() if name not in LENGTH + PLACES}
    known = {name: value for name, value in checkpoint.configuration.items() if name not in LENGTH + PLACES}
    for given, expected in ((dict(checkpoint.trained_on), dict(trained_on)), (known, own)):
        for name in expected | given:
            if given.get(name) != expected.get(name):
                raise Failure(f"{place} is the checkpoint of another training: its {name} is {given.get(name)}, that "
                              f"of the run {expected.get(name)}. One of the two, the checkpoint or config.json, was "
                              "exchanged or edited; restore it")
