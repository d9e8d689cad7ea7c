"""The detectors that a finished run of experiments/roi_detection.py left behind."""
from __future__ import annotations

from engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from experiments.configuration.detector import LOSSES, DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.detectors.network import build, detector_name
from experiments.inputs.size_groups import GROUPS
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import TrainedOn, trained_on
from experiments.runs.restoring import restored
from experiments.runs.resuming import require_same_run
from experiments.system.errors import UsageError


def finished_checkpoints(run: RunFolder, loss: str) -> dict[str, Checkpoint]:
    """By group, of the five detectors that a finished run (`runs.finished`) trained by that loss.

    Raises UsageError where a checkpoint in it is none or damaged, and Failure where one is of another training.
    """
    if loss not in LOSSES:
        raise UsageError(f"loss {loss!r}: expected one of {', '.join(LOSSES)}")
    record = run.record()
    configuration = recorded_configuration(DetectorConfiguration, record.configuration, run.config)
    return {group: _checkpoint(RunFolder(run.path / name), configuration, trained_on(record, name))
            for group, name in ((group, detector_name(group, loss)) for group in GROUPS)}


def _checkpoint(folder: RunFolder, configuration: DetectorConfiguration, said: TrainedOn) -> Checkpoint:
    path = folder.checkpoint
    try:
        checkpoint = load_checkpoint(path)
        require_same_run(checkpoint, configuration, said, path)
        restored(checkpoint, lambda rng: build(configuration, rng))
    except (CheckpointError, OSError) as error:
        raise UsageError(f"{path} is not the checkpoint of a detector: {error}") from error
    return checkpoint
