"""The ROI detectors of 4.3: U-nets that mark lesions, one for each size group of annotations and each loss."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.checkpoint import CheckpointError, load_checkpoint, to_numpy
from engine.layer import Layer
from engine.losses import Loss, dice, from_logits, sensitivity_specificity
from experiments.detector_configuration import DetectorConfiguration
from experiments.device import array_module
from experiments.errors import UsageError
from experiments.provenance import trained_on
from experiments.recorded_configuration import recorded_configuration
from experiments.restoring import restored
from experiments.resuming import require_same_run
from experiments.run_folder import RunFolder
from experiments.size_groups import GROUPS
from experiments.streams import WEIGHTS
from models.predict import predict
from models.unet import unet

LOSSES = ("dice", "ss")  # (3.43) and (3.49)
LOSS_FUNCTIONS: dict[str, Loss] = {"dice": dice, "ss": sensitivity_specificity}
ON_LOGITS: dict[str, Loss] = {name: from_logits(loss) for name, loss in LOSS_FUNCTIONS.items()}
THRESHOLD = 0.5  # a pixel belongs to the predicted ROI where the network's output is above it


def build(configuration: DetectorConfiguration, rng: Any = None) -> Layer:
    """The U-net of A.3.2 with initial weights that are a function of the seed, or drawn from `rng`."""
    return unet(1, configuration.channels, configuration.depth, configuration.statistics, configuration.bias,
                rng=rng or np.random.default_rng((configuration.drawn_by, WEIGHTS)))


def probabilities(network: Layer, images: np.ndarray, device: str, batch: int = 50) -> np.ndarray:
    """(n, side, side, 1) float32: the network's outputs for images (n, side, side, 1), `batch` of them at a time."""
    xp = array_module(device)
    return np.concatenate([to_numpy(predict(network, xp.asarray(images[start:start + batch]))[0])
                           for start in range(0, len(images), batch)])


def masks(network: Layer, images: np.ndarray, threshold: float, device: str) -> np.ndarray:
    """(n, side, side, 1) bool, True where the network's output for images (n, side, side, 1) is above the threshold.

    The network must be on that device already: `network.convert(array_module(device).asarray)`.
    """
    return probabilities(network, images, device) > threshold


def detector_name(group: str, loss: str) -> str:
    """Of a detector and its folder inside a run's: P0-dice."""
    return f"{group}-{loss}"


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
