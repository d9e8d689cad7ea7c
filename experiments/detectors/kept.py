"""The detectors of a decomposition: found, checked, and kept in its folder, which then needs no other run.

    RUN/detectors/P0.safetensors ... P4.safetensors     checkpoints without optimizer: parameters and moving averages
"""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.checkpoint import Checkpoint, save_checkpoint
from engine.layer import Layer
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import PRESETS, DetectorConfiguration
from experiments.detectors.finished import load_detectors
from experiments.detectors.heat_maps import Detectors
from experiments.detectors.network import detector_name
from experiments.detectors.trained import load_detector
from experiments.inputs.loading import Data
from experiments.inputs.size_groups import GROUPS
from experiments.runs import finished as finished_runs
from experiments.runs.checkpoints import read_checkpoint
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import trained_on
from experiments.system.device import array_module
from experiments.system.errors import Failure, UsageError

SHARED = ("data", "normals", "classes", "preset", "seed")  # what a user gives both commands


def fixed_detectors(given: str | None, folder: RunFolder, configuration: DecompositionConfiguration, data: Data,
                    device: str) -> tuple[Detectors, dict[str, Any]]:
    """The detectors in the folder of a decomposition, on the device, and what config.json says of them.

    For a new run they are copied there first: from the given run of experiments/roi_detection.py, or else the newest.
    Detectors that saw a test image in training would tell the classifier what it cannot know, so there is a UsageError
    where that run is of other data or another seed; and where there is none.
    """
    if folder.exists():
        record = folder.record()["detectors"]
        if given is not None and Path(given).resolve() != Path(record["run"]):
            raise UsageError(f"the run in {folder.path} has the detectors of {record['run']}, not those of {given}. "
                             "Resume without --detectors, or start another run")
        return kept_detectors(folder.path, record["threshold"], device, record["digest"]), record
    run = finished_runs.of_same_data("roi_detection", given, data.record["fingerprint"], configuration.seed)
    if run is None:
        flags = "".join(f" --{name} {getattr(configuration, name)}" for name in SHARED
                        if getattr(configuration, name) is not None)
        raise UsageError(
            f"there is no finished run of ROI detection under {finished_runs.RUNS}/ on these data "
            f"({data.record['name']}), prepared alike, with the same seed. First: python experiments/roi_detection.py"
            f"{flags}; or name one elsewhere with --detectors RUN")
    keep_detectors(run, configuration.loss, folder.path)
    detectors = kept_detectors(folder.path, configuration.threshold, device)
    return detectors, {"run": str(run.path.resolve()), "loss": configuration.loss, "threshold": configuration.threshold,
                       "digest": detectors.digest}


def likely_detectors(given: str | None, configuration: DecompositionConfiguration) -> DetectorConfiguration:
    """Of the detectors that a new run will get, as far as that can be said before its data are read: for an estimate.

    Those of the given run, or the newest on the same data; where there are none, of the preset.
    """
    def same(record: dict[str, Any]) -> bool:
        return all(record["configuration"].get(name) == getattr(configuration, name) for name in ("data", "seed"))

    run = finished_runs.newest("roi_detection", same) if given is None else RunFolder(Path(given))
    try:
        return DetectorConfiguration(**run.record()["configuration"]) if run else PRESETS[configuration.preset]
    except (UsageError, Failure, KeyError, TypeError):
        return PRESETS[configuration.preset]  # what is wrong is said when the detectors are needed


def keep_detectors(run: RunFolder, loss: str, folder: Path) -> None:
    """Copy the five detectors of a ROI run into the folder of a decomposition. Raises Failure where that cannot be."""
    networks, configuration = load_detectors(run.path, loss)
    for group, network in zip(GROUPS, networks, strict=True):
        path = _place(folder, group)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_checkpoint(path, network, None, configuration.total_steps, asdict(configuration),
                            trained_on(run.record(), detector_name(group, loss)))
        except OSError as error:
            raise Failure(f"{path} cannot be written: {error.strerror}") from error


def kept_detectors(folder: Path, threshold: float, device: str = "cpu", digest: str | None = None) -> Detectors:
    """The detectors in the folder of a decomposition, on the device.

    Raises UsageError where one is absent, Failure where one is damaged or they have another digest than that expected.
    """
    detectors = Detectors([_load(_place(folder, group)) for group in GROUPS], threshold, device)
    if digest is not None and detectors.digest != digest:
        raise Failure(f"{folder / 'detectors'} does not hold the detectors that the run in {folder} began with. "
                      "Restore them, or start another run")
    for network in detectors.networks:
        network.convert(array_module(device).asarray)
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
