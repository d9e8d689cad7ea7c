"""Training patients that are held out of training: a choice that is made on them does not flatter the network."""
from __future__ import annotations

import numpy as np

from experiments.configuration.streams import VALIDATION
from experiments.inputs.splitting import split
from experiments.system.errors import Failure


def held_out(labels: np.ndarray, patients: np.ndarray, train: np.ndarray, fraction: float, seed: int,
             classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(training indices, validation indices), both ascending, of the training indices `train` into labels (N,) int and
    patients (N,) str: by patient and class as `splitting.split` does it. A fraction of 0 holds out none.

    Raises Failure where a class has too few training patients to be on both sides.
    """
    if not fraction:
        return train, train[:0]
    try:
        rest, validation = split(labels[train], patients[train], seed, fraction, classes, VALIDATION)
    except Failure as error:
        raise Failure(f"--validation {fraction}: the training patients cannot be parted once more ({error}). Leave "
                      "--validation out, or add patients") from error
    return train[rest], train[validation]
