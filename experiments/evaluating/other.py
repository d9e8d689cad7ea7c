"""The other data set: read by its own choices, prepared as the run's images were, without those it learned from."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.configuration.training import TrainingConfiguration
from experiments.datasets.choices import Choices
from experiments.datasets.mammogram import THESIS, Dataset
from experiments.evaluating.learned import Unlearned, require_other_data, unlearned, unlearned_by_name
from experiments.evaluating.run import EvaluatedRun
from experiments.evaluation.predictions import read_predictions
from experiments.inputs.image_set import PreparedSet, prepare
from experiments.inputs.loading import Data, DataRecord, load, preparation
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.selection import chosen_dataset
from experiments.system.durations import Parts, sentence, timed
from experiments.system.errors import Failure, UsageError
from experiments.system.machine import Machine
from experiments.system.progress import announce


@dataclass(frozen=True)
class OtherSet:
    """prepared: all its images; kept: (n,) indices of those that the run is evaluated on; record: of the latter, all of
    them as its test images; took: seconds by part."""
    prepared: PreparedSet
    kept: np.ndarray
    record: DataRecord
    took: dict[str, float]


def open_other(run: EvaluatedRun, place: Path, choices: Choices, machine: Machine, expect: Callable[[int], Parts]
               ) -> OtherSet:
    """Read, prepared and compared with what the run learned from; the terminal is told beforehand how long all takes.

    expect: the seconds that the rest takes on so many images. Raises UsageError where the set is the run's own.
    """
    configuration = replace(run.configuration, data=str(place.resolve()), normals=None, max_pixels=choices.max_pixels,
                            views=choices.views, birads=choices.birads)
    require_elsewhere(run.configuration, place)
    dataset = chosen_dataset(configuration)
    if not dataset.mammograms:
        raise Failure(f"--data {place}: {dataset.name} has no image of a class that the run tells apart")
    preprocessing = Preprocessing.of(configuration)
    took: dict[str, float] = {}
    with timed(took, "preparing"):
        own, reason = _own_data(run, machine, lambda: {
            "preparing the other set": preparation(dataset.mammograms, preprocessing, machine).get("preparing", 0.0),
            **expect(len(dataset.mammograms))})
        prepared = prepare(dataset.mammograms, preprocessing, machine.cache, machine.workers,
                           classes=configuration.class_names, scheduler=machine.scheduler)
    require_other_data(prepared, run.record.data.fingerprint, str(place))
    with timed(took, "comparing"):
        found = _unlearned(run, prepared, dataset, own, reason, place)
    return OtherSet(prepared, found.kept, _record(dataset, prepared, found), took)


def require_elsewhere(configuration: TrainingConfiguration, place: Path) -> None:
    """Raises UsageError where the folder is that of the run's own images."""
    for name in ("data", "normals"):
        own = getattr(configuration, name)
        if own is not None and Path(own).resolve() == place.resolve():
            raise UsageError(f"--data {place}: is the folder of --{name} that the run was trained on. Only its test "
                             "images are clean, and the run's own report has their figures. Expected another data set")


def _own_data(run: EvaluatedRun, machine: Machine, expect: Callable[[], Parts]) -> tuple[Data | None, str]:
    """The run's own images and their split; None and a reason where they are not at hand any more."""
    try:
        own = load(run.configuration, machine, expect=lambda _: expect())
    except (UsageError, Failure) as error:
        announce(f"This is {sentence(expect())}")
        return None, f"the run's own images are not at hand ({str(error).splitlines()[0]})."
    if own.record.fingerprint != run.record.data.fingerprint:
        return None, ("the images in the folder that the run was trained on are not those that it was trained on any "
                      "more.")
    return own, ""


def _unlearned(run: EvaluatedRun, prepared: PreparedSet, dataset: Dataset, own: Data | None, reason: str, place: Path
               ) -> Unlearned:
    names = run.record.data.name, dataset.name
    if own is not None:
        return unlearned(prepared, names, own, str(place))
    table = run.folder.path / "predictions.csv"
    listed = read_predictions(table) if table.exists() else {}
    return unlearned_by_name(prepared, names, [each for name, each in listed.items() if name != "test"], reason,
                             str(place))


def _record(dataset: Dataset, prepared: PreparedSet, found: Unlearned) -> DataRecord:
    counts = np.bincount(prepared.labels[found.kept], minlength=len(prepared.classes))
    patients = len(set(prepared.patients[found.kept].tolist()))
    return DataRecord(
        dataset.name, dataset.name == THESIS, prepared.fingerprint, len(found.kept), patients,
        dataset.excluded | found.excluded, prepared.dropped, [*dataset.notes, *found.notes], {},
        dict(zip(prepared.classes, counts.tolist(), strict=True)), 0, patients)


def describe(record: DataRecord) -> str:
    """For the terminal."""
    left_out = [f"  left out: {count} ({reason})" for reason, count in (record.excluded | record.dropped).items()]
    counts = ", ".join(f"{count} {label}" for label, count in record.test.items())
    return "\n".join([f"Other set: {record.name}, {record.images} images of {record.patients} patients ({counts})",
                      *(f"  {note}" for note in record.notes), *left_out])
