"""Everything that a run is, in one safetensors file: network, optimizer, step and configuration.

    save_checkpoint(path, network, optimizer, step, configuration)
    checkpoint = load_checkpoint(path)
    restore(checkpoint, network, optimizer)

The tensors are "parameters/3.conv.W", "moving_averages/4.mean", "optimizer/m1.3.conv.W" ...; the rest is one JSON text
with a digest of all. The same state gives the same bytes.
"""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Array, to_numpy
from engine.checkpoint_file import Checkpoint, CheckpointError, load_checkpoint
from engine.layer import Layer, assign
from engine.optimizers import Optimizer

__all__ = ["Checkpoint", "CheckpointError", "load_checkpoint", "restore", "save_checkpoint", "to_numpy"]


def save_checkpoint(path: str | Path, network: Layer, optimizer: Optimizer | None, step: int,
                    configuration: dict[str, Any], trained_on: dict[str, Any] | None = None) -> None:
    """Replace the file at `path` in one step: a run killed at any moment leaves the old file or the new one, whole.

    optimizer: None for a network that is trained no further: a third of the bytes of one with Adam. configuration: what
    JSON can hold (tuples come back as lists). trained_on: likewise, what the network was trained on. Raises OSError
    (disk full, no permission) with the old file as it was and no other left behind; TypeError or ValueError where the
    configuration is not JSON.
    """
    arrays = {name: np.asarray(to_numpy(array), order="C") for name, array in _arrays(network, optimizer).items()}
    Checkpoint(step, configuration, arrays, trained_on or {}).write(path)


def restore(checkpoint: Checkpoint, network: Layer, optimizer: Optimizer | None = None) -> None:
    """Copy a checkpoint into a network and its optimizer (None: the network alone, for inference).

    Raises CheckpointError, before anything is written, where a tensor is missing, is one too many, differs in shape or
    dtype, or holds a number that is not finite; it names the first.
    """
    given = {name: array for name, array in checkpoint.arrays.items() if optimizer or not name.startswith("optimizer/")}
    own = _arrays(network, optimizer)
    for name in own | given:
        in_file, expected = _describe(given, name), _describe(own, name)
        if in_file != expected:
            raise CheckpointError(f"the checkpoint is of another network or optimizer: '{name}' is {in_file} in the "
                                  f"file and {expected} here")
        if not np.isfinite(given[name]).all():
            raise CheckpointError(f"the checkpoint is of no use: '{name}' holds numbers that are not finite. The "
                                  "training diverged; a smaller learning rate often helps")
    assign(network, checkpoint.part("parameters") | checkpoint.part("moving_averages"))
    if optimizer:
        optimizer.load(checkpoint.part("optimizer"))


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
