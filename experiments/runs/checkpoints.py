"""The checkpoint that a command is to use: found, read, and fit to answer, or one message that says why not."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from experiments.system.errors import Failure, UsageError

NAME = "checkpoint.safetensors"


def find_checkpoint(given: Path) -> Path:
    """The file itself, or of a run's folder its checkpoint.

    Raises UsageError where there is none, and for the folder of several trainings, which it names.
    """
    if not given.is_dir():
        return given
    if (given / NAME).exists():
        return given / NAME
    below = sorted(str(path.parent) for pattern in (f"*/{NAME}", f"*/*/{NAME}") for path in given.glob(pattern))
    if below:
        raise UsageError(f"{given} holds {len(below)} trainings. Name one of them: {', '.join(below)}")
    raise UsageError(f"{given}: is the folder of no run that has a checkpoint (no {NAME} in it)")


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises UsageError where there is no such file or it is no checkpoint, Failure where it cannot be read or its
    numbers are not finite: such a network answers nothing, and an image's largest of three NaN would be a class."""
    try:
        checkpoint = load_checkpoint(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such checkpoint") from None
    except OSError as error:
        raise Failure(f"{path}: the checkpoint cannot be read ({error.strerror or error})") from error
    except (CheckpointError, TypeError, AttributeError, RecursionError) as error:  # the latter: of JSON and dtypes
        raise UsageError(f"{path} is no checkpoint: {error}") from error
    for name, array in checkpoint.arrays.items():
        if not np.isfinite(array).all():
            raise Failure(f"{path}: '{name}' holds numbers that are not finite: the network answers nothing. Use an "
                          "earlier checkpoint, or train it again with a smaller --learning-rate")
    return checkpoint


@contextmanager
def described_wrongly(path: Path, expected: str) -> Iterator[None]:
    """What a configuration of wrong types, numbers or tensors raises becomes a UsageError that names the file."""
    try:
        yield
    except (CheckpointError, Failure, UsageError, OverflowError) as error:
        raise UsageError(f"{path} is no checkpoint of {expected}: {error}") from error
