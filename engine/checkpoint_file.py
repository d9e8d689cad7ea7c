"""A checkpoint as a file: one safetensors file whose content is verified whenever it is read.

The tensors have names with a prefix; the rest is one JSON text, which holds a digest of it all. Every load computes the
digest anew: a bit that a disk, a copy or a person has changed is found. (BLAKE2b: 0.3 s for the VGG's 280 MB. It
protects against accidents, not against somebody who writes a new digest of what he forged.)
"""
from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from engine.files import write_whole

METADATA = "checkpoint"
FORMAT = 3  # the first had no digest and does not say which it is, the second other names for the parameters
DTYPES = ("F32", "F64", "I64")  # of networks, of optimizers and of their count of steps
MOST_STEPS = 2**53


class CheckpointError(ValueError):
    """A file is no checkpoint, a damaged one, or one of another network or optimizer."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in main memory. step, configuration, trained_on: as they were given; arrays: by
    prefix and path."""
    step: int
    configuration: dict[str, Any]
    arrays: dict[str, np.ndarray]
    trained_on: dict[str, Any] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays of "parameters", "moving_averages" or "optimizer", by path."""
        return {name.removeprefix(f"{prefix}/"): array for name, array in self.arrays.items()
                if name.startswith(f"{prefix}/")}

    def parameter(self, path: str, axes: int) -> np.ndarray:
        """One parameter, of so many axes. Raises CheckpointError where it is absent or has another number of them."""
        array = self.arrays.get(f"parameters/{path}")
        if array is None or array.ndim != axes:
            found = "absent" if array is None else f"of the shape {array.shape}"
            raise CheckpointError(f"the checkpoint is of another network: its parameter '{path}' is {found}, expected "
                                  f"are {axes} axes")
        return array

    def text(self) -> str:
        """All but the arrays, with a digest of the whole, as JSON: the same for the same content."""
        content = {"configuration": self.configuration, "format": FORMAT, "step": self.step,
                   "trained_on": self.trained_on}
        described = [content, *([name, array.dtype.str, array.shape] for name, array in sorted(self.arrays.items()))]
        total = hashlib.blake2b(json.dumps(described, sort_keys=True, allow_nan=False).encode(), digest_size=32)
        for _, array in sorted(self.arrays.items()):
            total.update(array.reshape(-1).view(np.uint8).data)
        return json.dumps(content | {"digest": total.hexdigest()}, sort_keys=True)

    def write(self, path: str | Path) -> None:
        """Replace the file at `path`; `write_whole` says how."""
        # One entry: safetensors writes several in a random order. Not its save_file: the error that it raises when the
        # disk is full is no OSError.
        write_whole(Path(path), save(self.arrays, {METADATA: self.text()}))


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint. Raises OSError if the file cannot be opened, and CheckpointError if it is none, is not whole,
    holds another content than was written, or was written in another format."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise CheckpointError("it is a device or a pipe, expected a file")
    with open(path, "rb"):  # so that what cannot be opened is an OSError with its errno
        pass
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            arrays = _tensors(file, status.st_size)
    except (SafetensorError, OSError, MemoryError) as error:
        raise CheckpointError(f"the file is not a whole safetensors file: {error}") from error
    return _checked(metadata.get(METADATA, ""), arrays)


def _tensors(file: Any, size: int) -> dict[str, np.ndarray]:
    """All tensors of an open safetensors file, which holds them whole (the library sees to that), of dtypes that we
    write. A sparse file may claim terabytes: nothing is allocated for more bytes than this machine has."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else sys.maxsize
    if size > memory:
        raise CheckpointError(f"the checkpoint claims {size} bytes, this machine has {memory} of memory")
    names = list(file.keys())
    for name in names:
        dtype = file.get_slice(name).get_dtype()
        if dtype not in DTYPES:
            raise CheckpointError(f"the file is no checkpoint of this engine: '{name}' is {dtype}, expected one of "
                                  f"{', '.join(DTYPES)}")
    return {name: file.get_tensor(name) for name in names}


def _checked(text: str, arrays: dict[str, np.ndarray]) -> Checkpoint:
    """The checkpoint, if it is one and would be written with the same text today: its digest is that of its content."""
    try:
        content = json.loads(text)
        step, configuration, trained_on = content["step"], content["configuration"], content.get("trained_on", {})
        if type(step) is not int or not 0 <= step <= MOST_STEPS:
            raise ValueError(f"step {step!r}")
        if not isinstance(configuration, dict) or not isinstance(trained_on, dict):
            raise TypeError("the configuration is no object")
        checkpoint = Checkpoint(step, configuration, arrays, trained_on)
        known, same = content.get("format"), checkpoint.text() == text
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError("the safetensors file was not written as a checkpoint: it does not say step and "
                              "configuration") from error
    if known is None and "digest" not in content:
        raise CheckpointError("the checkpoint has the format 1, which holds no digest, so that nobody can tell whether "
                              f"it is as it was; this version reads {FORMAT}. Train again, or use the version of this "
                              "project that wrote it")
    if known == 2:
        raise CheckpointError("the checkpoint has the format 2, in which the networks' parameters have other names; "
                              f"this version reads {FORMAT}. Train again, or use the version of this project that "
                              "wrote it")
    if known is not None and known != FORMAT:
        raise CheckpointError(f"the checkpoint has the format {known!r}, this version reads {FORMAT}. Use the version "
                              "of this project that wrote it")
    if not same:
        raise CheckpointError("the checkpoint is damaged: its content is not what was written (another digest). "
                              "Restore it from a copy")
    return checkpoint
