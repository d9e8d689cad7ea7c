"""How a run goes on: with the configuration it began with, but for more steps or another place of the same data."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.checkpoint import Checkpoint
from experiments.configuration.recorded import recorded_configuration
from experiments.configuration.training import PLACES, Kind, TrainingConfiguration, flag
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import TrainedOn
from experiments.runs.record import Change, Changed, PartRecord
from experiments.system.errors import Failure, UsageError
from experiments.system.versions import now

LENGTH = ("steps", "epochs")  # how long a run trains: the rate does not depend on it
PART = "roi_detector"  # what config.json of one of the ten trainings of 4.3 says that it is
FINISHED = ("results.json", "report.html")  # the marks of a run, or of a part of it, that is trained no further


def require_experiment(folder: RunFolder, experiment: str) -> None:
    """Raises UsageError where the run to resume is one of another command."""
    if folder.experiment != experiment:
        raise UsageError(f"the run in {folder.path} is one of experiments/{folder.experiment}.py; resume it there, or "
                         "choose another folder with --output")


def resumed_configuration(folder: RunFolder, experiment: str, kind: type[Kind], given: Mapping[str, Any]) -> Kind:
    """The recorded configuration with what the given settings may change: "steps" or "epochs", to train on, and "data"
    and "normals", where the data have moved. Raises UsageError for any other one that contradicts it."""
    require_experiment(folder, experiment)
    recorded = recorded_configuration(kind, folder.record().configuration, folder.config)
    for name, value in given.items():
        known = getattr(recorded, name)
        if known != value and (name not in LENGTH + PLACES or (name in PLACES and known is None)):
            raise UsageError(f"the run in {folder.path} has {name} {known}, the flag says {value}. Resume without that "
                             "flag, or start another run")
    if given.get("epochs", recorded.epochs) != recorded.epochs and recorded.schedule == "cosine":
        raise UsageError(f"--epochs {given['epochs']}: the learning rate of the run in {folder.path} falls within its "
                         f"{recorded.epochs} epochs. Train on by --steps, at the rate that it ended with, or start "
                         "another run")
    # so many epochs in all, however many steps were asked for before
    wanted = replace(recorded, **({"steps": None} if "epochs" in given else {}) | dict(given))
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
    record, new = folder.record(), configuration.record()
    changed = {name: Changed(value, new[name]) for name, value in record.configuration.items() if value != new[name]}
    if not changed:
        return
    parts = _parts(folder)
    if changed.keys() & set(LENGTH):
        for path in (place / name for place in (folder.path, *(part.path for part in parts)) for name in FINISHED):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise Failure(f"{path} cannot be removed: {error.strerror}") from error
    change = Change(now(), command, changed)
    for part in parts:
        known = part.record_as(PartRecord)
        part.rewrite(replace(known, configuration=new, changes=[*known.changes, change]))
    folder.rewrite(replace(record, configuration=new, changes=[*record.changes, change]))


def _parts(folder: RunFolder) -> list[RunFolder]:
    """The folders of trainings that are parts of the run."""
    below = [RunFolder(path.parent) for path in sorted(folder.path.glob("*/config.json"))]
    return [each for each in below if each.experiment == PART]


def require_same_run(checkpoint: Checkpoint, configuration: TrainingConfiguration, trained_on: TrainedOn,
                     place: Path) -> None:
    """Raises Failure where the checkpoint is of another training than config.json tells of, or on other data.

    Another seed would be another split: images that this network learned from would test it. place: of the checkpoint.
    """
    def lasting(settings: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in settings.items() if name not in LENGTH + PLACES}

    for given, expected in ((checkpoint.trained_on, trained_on.record()),
                            (lasting(checkpoint.configuration), lasting(configuration.record()))):
        for name in expected | given:
            if given.get(name) != expected.get(name):
                raise Failure(f"{place} is the checkpoint of another training: its {name} is {given.get(name)}, that "
                              f"of the run {expected.get(name)}. One of the two, the checkpoint or config.json, was "
                              "exchanged or edited; restore it")
