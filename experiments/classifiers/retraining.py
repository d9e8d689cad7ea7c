"""4.5: from a decomposition to its retraining, which goes on with the state that the decomposition ended in."""
from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from engine.checkpoint import CheckpointError, load_checkpoint
from experiments.configuration.classifier import RetrainingConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.configuration.training import PLACES, flag
from experiments.runs.finished import RUNS, finished, newest
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import trained_on
from experiments.runs.record import DecompositionOrigin, RunRecord
from experiments.runs.resuming import require_same_run
from experiments.system.errors import Failure, UsageError

# Of the decomposition's initial rate. That of the quick preset is high: before an input that the network does not know,
# its first steps undo all that was learned, and the loss stays where guessing has it.
RATE = {"thesis": 1.0, "quick": 0.5}
# what makes the network and the images
SAME = ("preset", "data", "normals", "classes", "seed", "validation", "side", "working_side", "clip_limit", "width",
        "statistics")


def usual_settings(before: DecompositionConfiguration) -> dict[str, Any]:
    """The settings of a retraining after a decomposition, where nothing else is asked for."""
    recorded = asdict(before) | {"learning_rate": RATE[before.preset] * before.learning_rate}
    return {entry.name: recorded[entry.name] for entry in fields(RetrainingConfiguration)}


def inherited(decomposition: RunFolder, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a new run: those of the decomposition, where no flag says otherwise."""
    usual = usual_settings(configuration_before(decomposition))
    if given.keys() & {"epochs", "steps_per_epoch"}:
        del usual["steps"]  # they say how many
    return usual | dict(given)


def require_same(decomposition: RunFolder, given: Mapping[str, Any]) -> None:
    """Raises UsageError where a flag asks for another network or other images than the decomposition has."""
    before = asdict(configuration_before(decomposition))
    for name in SAME:
        moved = name in PLACES and before[name] is not None  # their fingerprint is compared later
        if name in given and given[name] != before[name] and not moved:
            raise UsageError(f"{flag(name)} {given[name]}: the decomposition in {decomposition.path} has "
                             f"{before[name]}, and its network is trained on, on the same images")


def choose_decomposition(path: Path | None, resumed: RunFolder | None, given: Mapping[str, Any]) -> RunFolder:
    """The given run, or that of the run to resume, or else the newest that agrees with the flags. Raises UsageError
    where there is none."""
    if path is None and resumed is not None and (known := resumed.record().decomposition) is not None:
        path = Path(known.run)
    if path is not None:
        return finished(path, "decomposition")
    wanted = {"data": None, "normals": None, "classes": 3, "seed": 0} | {
        name: given[name] for name in SAME if name in given}
    run = newest("decomposition", lambda record: wanted.items() <= record.configuration.items())
    if run is None:
        said = ", ".join(f"{name} {value}" for name, value in wanted.items() if value is not None)
        raise UsageError(f"there is no finished run of experiments/decomposition.py under {RUNS}/ with {said}"
                         f"{' on the synthetic images' if wanted['data'] is None else ''}. Start one first, or name "
                         "one elsewhere with --decomposition RUN")
    return run


def configuration_before(decomposition: RunFolder) -> DecompositionConfiguration:
    return recorded_configuration(DecompositionConfiguration, decomposition.record().configuration,
                                  decomposition.config)


def origin(decomposition: RunFolder, before: DecompositionConfiguration) -> DecompositionOrigin:
    """What config.json of a retraining says of the decomposition, whose configuration is `before`."""
    return DecompositionOrigin(str(decomposition.path.resolve()), before.total_steps, digest(decomposition))


def digest(run: RunFolder) -> str:
    try:
        return hashlib.sha256(run.checkpoint.read_bytes()).hexdigest()
    except OSError as error:
        raise Failure(f"{run.checkpoint} cannot be read: {error.strerror}") from error


def start_from(decomposition: RunFolder, before: DecompositionConfiguration, folder: RunFolder, record: RunRecord,
               configuration: RetrainingConfiguration) -> None:
    """Begin with the decomposition's state, in a folder that has no checkpoint yet. record: of the retraining.

    Raises Failure where it is another one than when the run began, or not that of the decomposition's configuration.
    """
    if record.decomposition is None or digest(decomposition) != record.decomposition.digest:
        raise Failure(f"{decomposition.checkpoint} is not the checkpoint that the run in {folder.path} began with. "
                      "Restore it, or start another run")
    if folder.checkpoint.exists():
        return
    try:
        checkpoint = load_checkpoint(decomposition.checkpoint)
    except (CheckpointError, OSError) as error:
        raise Failure(f"{decomposition.checkpoint}: {error}") from error
    require_same_run(checkpoint, before, trained_on(decomposition.record()), decomposition.checkpoint)
    if checkpoint.step != before.total_steps:
        raise Failure(f"{decomposition.checkpoint} has {checkpoint.step} steps behind it, its run {before.total_steps}"
                      ". Finish that run first")
    begun = replace(checkpoint, configuration=configuration.record(), trained_on=trained_on(record).record())
    try:
        begun.write(folder.checkpoint)
    except OSError as error:
        raise Failure(f"{folder.checkpoint} cannot be written: {error.strerror}") from error
