"""What a report is made of, as the command hands it over."""
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiments.datasets.mammogram import CLASSES


@dataclass(frozen=True)
class RunRecord:
    """What was run, on what.

    title        heading of the report
    command      the command line that repeats the run
    config       hyper-parameters and settings, name -> value
    versions     of the program and the libraries, name -> version
    seed         of the run
    dataset      name of the collection
    is_ddsm      whether the images are the thesis's own collection; if not, every comparison with it says so
    fingerprint  of the images, masks, labels and preprocessing
    excluded     images left out by the reader, reason -> number
    dropped      images lost in preprocessing, reason -> number
    seconds      the training took, all its parts together; None where that is not known
    untimed      whether a part of it was cut off before its time was noted: it took longer
    started      when the run began, in ISO 8601, local time; None for what is no run
    classes      that the classifier tells apart, in the order of its outputs
    notes        on the data, sentences
    """

    title: str
    command: str
    config: dict[str, Any]
    versions: dict[str, str]
    seed: int
    dataset: str
    is_ddsm: bool
    fingerprint: str
    excluded: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    untimed: bool = False
    started: str | None = None
    classes: tuple[str, ...] = CLASSES
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Predictions:
    """The network's outputs on one split: probabilities (n, C), labels (n,) int, patients (n,) str or int."""

    probabilities: np.ndarray
    labels: np.ndarray
    patients: np.ndarray


@dataclass(frozen=True)
class Samples:
    """A few images as the network sees them: (n, side, side) in [0, 1], labels (n,) int, probabilities (n, C).

    heat_maps  (n, side, side), whole numbers from 0 to 5: the second channel of (4.2), if there is one
    """

    images: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...] = CLASSES
    heat_maps: np.ndarray | None = None
