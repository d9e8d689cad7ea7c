"""4.1: the data of a run, read, preprocessed and split, and what is to be said of them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.configuration.training import TrainingConfiguration
from experiments.datasets.mammogram import THESIS, Mammogram
from experiments.inputs.cache import missing_entries, preparing
from experiments.inputs.image_set import PreparedSet, prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.selection import chosen_dataset
from experiments.inputs.splitting import require_all_classes, split
from experiments.system.durations import Parts, sentence, timed
from experiments.system.progress import announce


@dataclass(frozen=True, slots=True)
class DataRecord:
    """What the data are, for config.json.

    name, fingerprint          of the set; of all that training sees, as hex
    is_ddsm                    whether it is the thesis's own collection
    images, patients           numbers of them
    excluded, dropped          reason -> number of images left out by the reader, lost in preprocessing
    notes                      sentences
    train, test                class -> number of images; train_patients, test_patients: whose they are
    """
    name: str
    is_ddsm: bool
    fingerprint: str
    images: int
    patients: int
    excluded: dict[str, int]
    dropped: dict[str, int]
    notes: list[str]
    train: dict[str, int]
    test: dict[str, int]
    train_patients: int
    test_patients: int


@dataclass(frozen=True, slots=True)
class Data:
    """The prepared images, which of them train and which test, and what the report says of them.

    expected, took: the seconds of the run by part, before it and as it goes. from_step: that its training begins at,
    above 0 in a run that was interrupted: what it did before is not in them.
    """
    prepared: PreparedSet
    train: np.ndarray
    test: np.ndarray
    record: dict[str, Any]
    expected: Parts = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    from_step: int = 0


def load(configuration: TrainingConfiguration, cache: Path, workers: int, every_class: bool = False,
         expect: Callable[[Sequence[Mammogram]], Parts] | None = None) -> Data:
    """4.1: read, preprocess (from the cache what is there already), split by patient.

    expect: the seconds that the rest of the run takes on these mammograms; if given, the terminal is told beforehand.
    every_class: raise Failure where a class has no images, before and after they are prepared.
    """
    classes = configuration.class_names
    dataset = chosen_dataset(configuration)
    if every_class:
        require_all_classes(np.array([classes.index(each.label) for each in dataset.mammograms], dtype=int), classes)
    preprocessing = Preprocessing(configuration.side, configuration.working_side, configuration.clip_limit)
    expected: Parts = {}
    if expect is not None:
        missing = missing_entries(dataset.mammograms, preprocessing, cache)
        expected = {"preparing": preparing(missing, workers), **expect(dataset.mammograms)}
        announce(f"This run is {sentence(expected)}")
    took: dict[str, float] = {}
    with timed(took, "preparing"):
        prepared = prepare(dataset.mammograms, preprocessing, cache, workers, classes=classes)
    if every_class:
        require_all_classes(prepared.labels, classes)
    train, test = split(prepared.labels, prepared.patients, configuration.seed, classes=classes)
    record = {"name": dataset.name, "is_ddsm": dataset.name == THESIS, "fingerprint": prepared.fingerprint,
              "images": len(prepared), "patients": len(set(prepared.patients)), "excluded": dataset.excluded,
              "dropped": prepared.dropped, "notes": list(dataset.notes)}
    for name, indices in (("train", train), ("test", test)):
        counts = np.bincount(prepared.labels[indices], minlength=len(classes))
        record[name] = dict(zip(classes, counts.tolist(), strict=True))
        record[f"{name}_patients"] = len(set(prepared.patients[indices]))
    return Data(prepared, train, test, record, expected, took)


def describe(record: dict[str, Any]) -> str:
    """What the data are, and what was left out of them and why, for the terminal."""
    lines = [f"Data: {record['name']}, {record['images']} images of {record['patients']} patients",
             *(f"  {note}" for note in record["notes"])]
    left_out = record["excluded"] | record["dropped"]
    lines += [f"  left out: {count} ({reason})" for reason, count in left_out.items()] or [
        "  left out: 0 (no hybrids, no annotation lost by the crop)"]
    lines += [f"  {name}: " + ", ".join(f"{count} {label}" for label, count in record[name].items())
              + f", {record[f'{name}_patients']} patients" for name in ("train", "test")]
    return "\n".join(lines)
