"""The detectors of a decomposition: found, checked, and kept in its folder, which then needs no other run.

    RUN/detectors/P0.safetensors ... P4.safetensors     checkpoints without optimizer: parameters and moving averages
"""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.checkpoint import Checkpoint
from engine.layer import Layer
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import PRESETS, DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.detectors.finished import finished_checkpoints
from experiments.detectors.heat_maps import Detectors
from experiments.detectors.trained import load_detector
from experiments.inputs.loading import Data
from experiments.inputs.size_groups import GROUPS
from experiments.runs import finished
from experiments.runs.checkpoints import read_checkpoint
from experiments.runs.folder import RunFolder
from experiments.runs.record import DetectorsOrigin, RunRecord
from experiments.system.device import placed
from experiments.system.errors import Failure, UsageError

SHARED = ("data", "normals", "classes", "preset", "seed", "validation")  # what a user gives both commands


def fixed_detectors(given: Path | None, folder: RunFolder, configuration: DecompositionConfiguration, data: Data,
                    device: str) -> tuple[Detectors, DetectorsOrigin]:
    """The detectors in the folder of a decomposition, on the device, and what config.json says of them.

    For a new run they are copied there first: from the given run of experiments/roi_detection.py, or else the newest.
    Detectors that saw a test image in training would tell the classifier what it cannot know, so there is a UsageError
    where that run is of other data, another seed or another share of validation; and where there is none.
    """
    if folder.exists():
        return _recorded_detectors(given, folder, device)
    run = finished.of_same_data("roi_detection", given, data.record.fingerprint, configuration.seed,
                                configuration.validation)
    if run is None:
        flags = "".join(f" --{name} {getattr(configuration, name)}" for name in SHARED
                        if getattr(configuration, name) is not None)
        raise UsageError(
            f"there is no finished run of ROI detection under {finished.RUNS}/ on these data ({data.record.name}), "
            f"prepared alike, with the same seed. First: python experiments/roi_detection.py{flags}; or name one "
            "elsewhere with --detectors RUN")
    keep_detectors(run, configuration.loss, folder.path)
    detectors = kept_detectors(folder.path, configuration.threshold, device)
    return detectors, DetectorsOrigin(str(run.path.resolve()), configuration.loss, configuration.threshold,
                                      detectors.digest)


def _recorded_detectors(given: Path | None, folder: RunFolder, device: str) -> tuple[Detectors, DetectorsOrigin]:
    origin = folder.record().detectors
    if origin is None:
        raise Failure(f"{folder.config} is damaged: it does not say 'detectors'. Restore it from a copy, or start "
                      "another run")
    if given is not None and given.resolve() != Path(origin.run):
        raise UsageError(f"the run in {folder.path} has the detectors of {origin.run}, not those of {given}. Resume "
                         "without --detectors, or start another run")
    return kept_detectors(folder.path, origin.threshold, device, origin.digest), origin


def likely_detectors(given: Path | None, configuration: DecompositionConfiguration) -> DetectorConfiguration:
    """Of the detectors that a new run will get, as far as that can be said before its data are read: for an estimate.

    Those of the given run, or the newest on the same data; where there are none, of the preset.
    """
    def same(record: RunRecord) -> bool:
        return all(record.configuration.get(name) == getattr(configuration, name) for name in ("data", "seed"))

    run = finished.newest("roi_detection", same) if given is None else RunFolder(given)
    try:
        return recorded_configuration(DetectorConfiguration, run.record().configuration, run.config) if run else (
            PRESETS[configuration.preset])
    except (UsageError, Failure):
        return PRESETS[configuration.preset]  # what is wrong is said when the detectors are needed


def keep_detectors(run: RunFolder, loss: str, folder: Path) -> None:
    """Copy the five detectors of a ROI run into the folder of a decomposition. Raises Failure where that cannot be."""
    for group, checkpoint in finished_checkpoints(run, loss).items():
        path = _place(folder, group)
        network = {name: array for name, array in checkpoint.arrays.items() if not name.startswith("optimizer/")}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(checkpoint, arrays=network).write(path)
        except OSError as error:
            raise Failure(f"{path} cannot be written: {error.strerror}") from error


def kept_detectors(folder: Path, threshold: float, device: str = "cpu", digest: str | None = None) -> Detectors:
    """The detectors in the folder of a decomposition, on the device.

    Raises UsageError where one is absent, Failure where one is damaged or they have another digest than that expected.
    """
    detectors = Detectors([_load(_place(folder, group)) for group in GROUPS], threshold)
    if digest is not None and detectors.digest != digest:
        raise Failure(f"{folder / 'detectors'} does not hold the detectors that the run in {folder} began with. "
                      "Restore them, or start another run")
    for network in detectors.networks:
        placed(network, device)
    return detectors


def detectors_beside(path: Path, checkpoint: Checkpoint, threshold: float, device: str) -> Detectors:
    """Those that the classifier in the decomposition's checkpoint at `path` was trained with, on the device.

    Their digest stands in the checkpoint. Raises UsageError where it does not, and as `kept_detectors`.
    """
    digest = checkpoint.trained_on.get("detectors")
    if digest is None:
        raise UsageError(f"{path} is of a decomposition and does not say by which detectors; expected a checkpoint "
                         "that experiments/decomposition.py wrote")
    return kept_detectors(path.parent, threshold, device, digest)


def _place(folder: Path, group: str) -> Path:
    return folder / "detectors" / f"{group}.safetensors"


def _load(path: Path) -> Layer:
    if not path.exists():
        raise UsageError(f"{path}: there is no such file. A decomposition's folder holds its five detectors; it must "
                         "be moved as a whole")
    try:
        return load_detector(path, "cpu", read_checkpoint(path)).network
    except UsageError as error:
        raise Failure(str(error)) from error
