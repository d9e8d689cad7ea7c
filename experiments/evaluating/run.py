"""The finished run that is evaluated: what config.json says of it, and its networks, which must be that run's."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoint import Checkpoint
from experiments.configuration.classifier import ClassifierConfiguration, RetrainingConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.configuration.training import TrainingConfiguration
from experiments.runs.checkpoints import read_checkpoint
from experiments.runs.finished import finished
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import trained_on
from experiments.runs.record import RunRecord
from experiments.runs.resuming import PART, require_same_run
from experiments.system.errors import Failure, UsageError

KINDS: dict[str, type[TrainingConfiguration]] = {
    "end2end": ClassifierConfiguration, "decomposition": DecompositionConfiguration,
    "retraining": RetrainingConfiguration, "roi_detection": DetectorConfiguration}


@dataclass(frozen=True)
class EvaluatedRun:
    folder: RunFolder
    record: RunRecord
    configuration: TrainingConfiguration

    def checkpoint(self, folder: RunFolder, detector: str | None = None) -> Checkpoint:
        """In the run's folder, or that of one of its detectors. Raises UsageError where there is none, and Failure
        where it is of another training than config.json tells of."""
        checkpoint = read_checkpoint(folder.checkpoint)
        require_same_run(checkpoint, self.configuration, trained_on(self.record, detector), folder.checkpoint)
        return checkpoint

    def digests(self) -> dict[str, str]:
        """Name of each checkpoint that answers -> its SHA-256, as hex."""
        files = sorted(self.folder.path.glob("*/checkpoint.safetensors")) or [
            self.folder.checkpoint, *sorted(self.folder.path.glob("detectors/*.safetensors"))]
        return {file.relative_to(self.folder.path).as_posix(): file_digest(file) for file in files}


def open_evaluated(path: Path) -> EvaluatedRun:
    """Raises UsageError where the folder holds no finished run of a command that trains."""
    folder = RunFolder(path)
    if not folder.exists():
        raise UsageError(f"{path}: there is no run (no config.json in it); expected the folder of a finished run of "
                         f"{_commands()}")
    experiment = folder.experiment
    if experiment == PART:
        raise UsageError(f"{path} is one of the ten detectors of a run, which are evaluated together: name "
                         f"{path.resolve().parent}")
    if experiment not in KINDS:
        raise UsageError(f"{path} holds a run of experiments/{experiment}.py; one of {_commands()} is needed")
    finished(path, experiment)
    record = folder.record()
    return EvaluatedRun(folder, record, recorded_configuration(KINDS[experiment], record.configuration, folder.config))


def file_digest(path: Path) -> str:
    """SHA-256 as hex. Raises Failure where the file cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def _commands() -> str:
    return ", ".join(f"experiments/{name}.py" for name in KINDS)
