"""The detectors that a finished run of experiments/roi_detection.py left behind."""
from __future__ import annotations

from pathlib import Path

from engine.checkpoint import CheckpointError, load_checkpoint
from engine.layer import Layer
from experiments.configuration.detector import LOSSES, DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.detectors.network import build, detector_name
from experiments.inputs.size_groups import GROUPS
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import trained_on
from experiments.runs.restoring import restored
from experiments.runs.resuming import require_same_run
from experiments.system.errors import UsageError


def load_detectors(run: Path, loss: str) -> tuple[list[Layer], DetectorConfiguration]:
    """The five detectors P0 .. P4 that a finished run of experiments/roi_detection.py trained by that loss, on the CPU.

    Raises UsageError where there is no such run, it is not finished, or a checkpoint in it is none or damaged, and
    Failure where one is of another training.
    """
    if loss not in LOSSES:
        raise UsageError(f"loss {loss!r}: expected one of {', '.join(LOSSES)}")
    folder = RunFolder(run)
    record = folder.record() if folder.exists() else {}
    if record.get("experiment") != "roi_detection":
        raise UsageError(f"{run} holds no run of experiments/roi_detection.py, whose detectors are needed")
    if not (run / "results.json").exists():
        raise UsageError(f"the run in {run} is not finished. Finish it: python experiments/roi_detection.py --resume "
                         f"--output {run}")
    configuration = recorded_configuration(DetectorConfiguration, record["configuration"], folder.config)
    networks = []
    for group in GROUPS:
        path = run / detector_name(group, loss) / "checkpoint.safetensors"
        try:
            checkpoint = load_checkpoint(path)
            require_same_run(checkpoint, configuration, trained_on(record, detector_name(group, loss)), path)
            networks.append(restored(checkpoint, lambda rng: build(configuration, rng)))
        except (CheckpointError, OSError) as error:
            raise UsageError(f"{path} is not the checkpoint of a detector: {error}") from error
    return networks, configuration
