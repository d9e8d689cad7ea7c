"""4.1: the data of a run, read, preprocessed and split, and what is to be said of them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from experiments.configuration.training import TrainingConfiguration
from experiments.datasets.mammogram import THESIS, Dataset, Mammogram
from experiments.inputs.cache import missing_entries, preparing
from experiments.inputs.image_set import PreparedSet, prepare
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.selection import chosen_dataset
from experiments.inputs.splitting import DRAWN, Split, require_all_classes, split_by_part
from experiments.inputs.validation import held_out
from experiments.system.durations import Parts, sentence, timed
from experiments.system.errors import Failure, UsageError
from experiments.system.machine import Machine
from experiments.system.progress import announce


@dataclass(frozen=True, slots=True)
class DataRecord:
    """What the data are, for config.json.

    name, fingerprint          of the set; of all that training sees, as hex
    is_ddsm                    whether it is the thesis's own collection
    images, patients           numbers of them
    excluded, dropped          reason -> number of images left out by the reader, lost in preprocessing
    notes                      sentences
    train, test, validation    class -> number of images; train_patients, ...: whose they are. Those of validation are
                               held out of training; empty where none are
    split                      whose division that is: the data set's own, or drawn by the seed
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
    split: str = DRAWN  # of runs that were made when every split was
    validation: dict[str, int] = field(default_factory=dict)
    validation_patients: int = 0


@dataclass(frozen=True, slots=True)
class Data:
    """The prepared images, which of them train and which test, and what the report says of them.

    validation: those that are held out of training and do not test; empty where none are.
    expected, took: the seconds of the run by part, before it and as it goes. from_step: that its training begins at,
    above 0 in a run that was interrupted: what it did before is not in them.
    """
    prepared: PreparedSet
    train: np.ndarray
    test: np.ndarray
    record: DataRecord
    expected: Parts = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    from_step: int = 0
    validation: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def splits(self) -> dict[str, np.ndarray]:
        """"test", "train" and, where there is one, "validation"."""
        held = {"validation": self.validation} if len(self.validation) else {}
        return {"test": self.test, "train": self.train, **held}


def load(configuration: TrainingConfiguration, machine: Machine, every_class: bool = False,
         masks: bool = False, expect: Callable[[Sequence[Mammogram]], Parts] | None = None) -> Data:
    """4.1: read, preprocess (from the cache what is there already), split by patient, as the data set is if it says so.

    expect: the seconds that the rest of the run takes on these mammograms; if given, the terminal is told beforehand.
    every_class: raise Failure where a class has no images, before and after they are prepared; masks: where the set
    marks no lesions. Raises UsageError where a batch has fewer images than there are processes to train on it.
    """
    if configuration.batch < machine.size:
        raise UsageError(f"--batch {configuration.batch}: fewer images than the {machine.size} processes that share "
                         "them. Start fewer, or take a larger --batch")
    classes = configuration.class_names
    dataset = chosen_dataset(configuration)
    if masks:
        require_masks(dataset)
    if every_class:
        require_all_classes(np.array([classes.index(each.label) for each in dataset.mammograms], dtype=int), classes)
    _require_split(dataset.mammograms, configuration.seed, classes)
    preprocessing = Preprocessing.of(configuration)
    expected: Parts = {}
    if expect is not None:
        expected = {**preparation(dataset.mammograms, preprocessing, machine), **expect(dataset.mammograms)}
        announce(f"This run is {sentence(expected)}")
    took: dict[str, float] = {}
    with timed(took, "preparing"):
        prepared = prepare(dataset.mammograms, preprocessing, machine.cache, machine.workers, classes=classes,
                           scheduler=machine.scheduler)
    if every_class:
        require_all_classes(prepared.labels, classes)
    split = split_by_part(prepared.labels, prepared.patients, prepared.parts, configuration.seed, classes)
    train, validation = held_out(prepared.labels, prepared.patients, split.train, configuration.validation,
                                 configuration.seed, classes)
    return Data(prepared, train, split.test, _record(dataset, prepared, split, train, validation), expected, took,
                validation=validation)


def require_masks(dataset: Dataset) -> None:
    """Raises Failure where the set marks no lesions, before hours of preparation for a detector of them."""
    if not dataset.marked:
        raise Failure(f"{dataset.name} does not mark where lesions are, and ROI detection learns from masks. It serves "
                      "for experiments/end2end.py; for detection take a set with masks")


def _require_split(mammograms: Sequence[Mammogram], seed: int, classes: tuple[str, ...]) -> None:
    """Raises Failure as `split_by_part` before hours of preparation, which may leave out an image or two."""
    told = [(classes.index(each.label), each.patient, each.part) for each in mammograms]
    if told:  # `prepare` says it where there are none
        labels, patients, parts = map(np.array, zip(*told, strict=True))
        split_by_part(labels, patients, parts, seed, classes)


def preparation(mammograms: Sequence[Mammogram], preprocessing: Preprocessing, machine: Machine) -> Parts:
    """The seconds for the images that the cache lacks; nothing of a cluster, whose speed is not known."""
    if machine.scheduler is not None:
        return {}
    missing = missing_entries(mammograms, preprocessing, machine.cache)
    return {"preparing": preparing(missing, machine.workers)}


def _record(dataset: Dataset, prepared: PreparedSet, split: Split, train: np.ndarray, validation: np.ndarray
            ) -> DataRecord:
    def images(indices: np.ndarray) -> dict[str, int]:
        counts = np.bincount(prepared.labels[indices], minlength=len(prepared.classes))
        return dict(zip(prepared.classes, counts.tolist(), strict=True))

    def patients(indices: np.ndarray) -> int:
        return len(set(prepared.patients[indices]))

    return DataRecord(dataset.name, dataset.name == THESIS, prepared.fingerprint, len(prepared),
                      len(set(prepared.patients)), dataset.excluded, prepared.dropped,
                      [*dataset.notes, *split.notes], images(train), images(split.test), patients(train),
                      patients(split.test), split.said, images(validation) if len(validation) else {},
                      patients(validation))


def describe(record: DataRecord) -> str:
    """What the data are, and what was left out of them and why, for the terminal."""
    lines = [f"Data: {record.name}, {record.images} images of {record.patients} patients",
             *(f"  {note}" for note in record.notes)]
    left_out = record.excluded | record.dropped
    lines += [f"  left out: {count} ({reason})" for reason, count in left_out.items()] or [
        "  left out: 0 (no hybrids, no annotation lost by the crop)"]
    lines.append(f"  split: {record.split}")
    lines += [f"  {name}: " + ", ".join(
        [*(f"{count} {label}" for label, count in images.items()), f"{patients} patients"])
              for name, images, patients in (("train", record.train, record.train_patients),
                                             ("validation", record.validation, record.validation_patients),
                                             ("test", record.test, record.test_patients)) if images]
    return "\n".join(lines)
