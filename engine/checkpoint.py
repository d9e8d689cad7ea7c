"""Everything that a run is, in one safetensors file: network, optimizer, step and configuration.

    save_checkpoint(path, network, optimizer, step, configuration)
    checkpoint = load_checkpoint(path)
    restore(checkpoint, network, optimizer)

The tensors are "parameters/3.conv.W", "moving_averages/4.mean", "optimizer/m1.3.conv.W" ...; the rest is one JSON text.
The same state gives the same bytes.
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from array_api_compat import is_cupy_array
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from engine.files import write_whole
from engine.layer import Array, Layer, assign
from engine.optimizers import Optimizer

METADATA = "checkpoint"


class CheckpointError(ValueError):
    """A file is no checkpoint, or one of another network or optimizer."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in main memory. step, trained_on: as save_checkpoint was given them; arrays: by prefix and path."""
    step: int
    configuration: dict[str, Any]
    arrays: dict[str, np.ndarray]
    trained_on: dict[str, Any] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays of "parameters", "moving_averages" or "optimizer", by path."""
        return {name.removeprefix(f"{prefix}/"): array for name, array in self.arrays.items()
                if name.startswith(f"{prefix}/")}


def save_checkpoint(path: str | Path, network: Layer, optimizer: Optimizer | None, step: int,
                    configuration: dict[str, Any], trained_on: dict[str, Any] | None = None) -> None:
    """Replace the file at `path` in one step: a run killed at any moment leaves the old file or the new one, whole.

    optimizer: None for a network that is trained no further: a third of the bytes of one with Adam. configuration: what
    JSON can hold (tuples come back as lists). trained_on: likewise, what is to be known of the data. Raises OSError
    (disk full, no permission) with the old file as it was and no other left behind; TypeError or ValueError where one
    of the two is not JSON.
    """
    text = json.dumps({"configuration": configuration, "step": step, "trained_on": trained_on or {}}, sort_keys=True,
                      allow_nan=False)
    # Not safetensors' save_file: the error that it raises when the disk is full is no OSError.
    arrays = {name: np.asarray(to_numpy(array), order="C") for name, array in _arrays(network, optimizer).items()}
    write_whole(Path(path), save(arrays, {METADATA: text}))


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint. Raises CheckpointError if the file is none or not whole, OSError if it cannot be opened."""
    with open(path, "rb"):  # so that what cannot be opened is an OSError with its errno
        pass
    try:
        with safe_open(path, "numpy") as file:
            text = (file.metadata() or {}).get(METADATA, "")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"the file is not a whole safetensors file: {error}") from error
    try:
        content = json.loads(text)
        return Checkpoint(int(content["step"]), dict(content["configuration"]), arrays,
                          dict(content.get("trained_on", {})))
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError("the safetensors file was not written as a checkpoint: it does not say step and "
                              "configuration") from error


def restore(checkpoint: Checkpoint, network: Layer, optimizer: Optimizer | None = None) -> None:
    """Copy a checkpoint into a network and its optimizer (None: the network alone, for inference).

    Raises CheckpointError, before anything is written, where a tensor is missing, is one too many, or differs in shape
    or dtype; it names the first.
    """
    given = {name: array for name, array in checkpoint.arrays.items() if optimizer or not name.startswith("optimizer/")}
    own = _arrays(network, optimizer)
    for name in own | given:
        in_file, expected = _describe(given, name), _describe(own, name)
        if in_file != expected:
            raise CheckpointError(f"the checkpoint is of another network or optimizer: '{name}' is {in_file} in the "
                                  f"file and {expected} here")
    assign(network, checkpoint.part("parameters") | checkpoint.part("moving_averages"))
    if optimizer:
        optimizer.load(checkpoint.part("optimizer"))


def to_numpy(array: Array) -> np.ndarray:
    """The array in main memory, copied only if it is not there yet."""
    return array.get() if is_cupy_array(array) else np.asarray(array)


def _arrays(network: Layer, optimizer: Optimizer | None) -> dict[str, Array]:
    """Every array of a run, by the name of its tensor."""
    parts = {"parameters": network.parameters(), "moving_averages": network.moving_averages(),
             "optimizer": optimizer.state() if optimizer else {}}
    return {f"{prefix}/{path}": array for prefix, part in parts.items() for path, array in part.items()}


def _describe(arrays: Mapping[str, Array], name: str) -> str:
    if name not in arrays:
        return "absent"
    array = arrays[name]
    return f"{str(array.dtype).rpartition('.')[2]} {tuple(array.shape)}"
