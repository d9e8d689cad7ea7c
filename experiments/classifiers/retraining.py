"""Where a retraining begins: with the state that its decomposition ended in."""
from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from typing import Any

from engine.checkpoint import CheckpointError, load_checkpoint
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import trained_on
from experiments.runs.resuming import require_same_run
from experiments.system.errors import Failure


def digest(run: RunFolder) -> str:
    try:
        return hashlib.sha256(run.checkpoint.read_bytes()).hexdigest()
    except OSError as error:
        raise Failure(f"{run.checkpoint} cannot be read: {error.strerror}") from error


def start_from(decomposition: RunFolder, before: DecompositionConfiguration, folder: RunFolder, record: dict[str, Any],
               configuration: ClassifierConfiguration) -> None:
    """Begin with the decomposition's state, in a folder that has no checkpoint yet.

    Raises Failure where it is another one than when the run began, or not that of the decomposition's configuration.
    """
    if digest(decomposition) != record["decomposition"]["digest"]:
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
    try:
        replace(checkpoint, configuration=asdict(configuration), trained_on=trained_on(record)).write(folder.checkpoint)
    except OSError as error:
        raise Failure(f"{folder.checkpoint} cannot be written: {error.strerror}") from error
