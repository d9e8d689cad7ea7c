"""Which mammograms a run uses: those of its data set, with the normal ones of another set or without any."""
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.configuration.training import TrainingConfiguration
from experiments.datasets import Choices, Dataset, Mammogram, open_dataset, reader_of
from experiments.system.errors import Failure, UsageError

PREFIX = "normals/"
JOINED = " with normal images of "  # between the names of two sets
OF_OTHER_CLASSES = "of a class that this run does not tell apart"


def chosen_dataset(configuration: TrainingConfiguration) -> Dataset:
    """The data set in `data`, with the normal images of the one in `normals`, of the classes that the run tells apart.

    Raises `UsageError` and `Failure` as `open_dataset`, and where the other set is the same or has no normal images.
    """
    data = None if configuration.data is None else Path(configuration.data)
    choices = _choices(configuration)
    dataset = open_dataset(data, configuration.seed, choices)
    if configuration.normals is not None:
        other = _normals(configuration, choices)
        _require_other_files(dataset, other)
        dataset = with_normals(dataset, other)
    return of_classes(dataset, configuration.class_names)


def with_normals(dataset: Dataset, other: Dataset) -> Dataset:
    """The dataset and the normal images of the other, which keep patient and source; their names get a prefix.

    A note says so: what differs between the two sets beside the tissue gives the class away.
    """
    added = [replace(each, name=PREFIX + each.name) for each in _labelled(other.mammograms, "normal")]
    own = len(_labelled(dataset.mammograms, "normal"))
    which = f"All {len(added)}" if own == 0 else f"{len(added)} of the {len(added) + own}"
    note = (f"{which} normal images come from another set, {other.name}: whatever distinguishes its scanners and films "
            f"from those of {dataset.name} distinguishes the classes, too, and a classifier may use it instead of the "
            "tissue.")
    return replace(dataset, name=f"{dataset.name}{JOINED}{other.name}",
                   mammograms=dataset.mammograms + added, notes=(*dataset.notes, note))


def of_classes(dataset: Dataset, classes: Sequence[str]) -> Dataset:
    """The dataset without the images of other classes, which are counted as excluded."""
    kept = [each for each in dataset.mammograms if each.label in classes]
    left = len(dataset.mammograms) - len(kept)
    excluded = dataset.excluded | ({OF_OTHER_CLASSES: left} if left else {})
    return replace(dataset, mammograms=kept, excluded=excluded)


def _choices(configuration: TrainingConfiguration) -> Choices:
    """Those of the flags. Raises UsageError where one was chosen that none of the data sets knows."""
    chosen = Choices(configuration.max_pixels, configuration.views, configuration.birads)
    if chosen != Choices(configuration.max_pixels):
        places = [Path(place) for place in (configuration.data, configuration.normals) if place is not None]
        taken = {name for place in places for name in getattr(reader_of(place), "TAKES", ())}
        chosen.require_taken(taken, " with ".join(map(str, places)) or "the drawn set")
    return chosen


def _normals(configuration: TrainingConfiguration, choices: Choices) -> Dataset:
    assert configuration.normals is not None
    if configuration.data is not None and Path(configuration.normals).resolve() == Path(configuration.data).resolve():
        raise UsageError(f"--normals {configuration.normals}: is the folder of --data itself, whose normal images are "
                         "used anyway; expected that of another data set")
    other = open_dataset(Path(configuration.normals), configuration.seed, choices)
    if not _labelled(other.mammograms, "normal"):
        raise Failure(f"{configuration.normals}: {other.name} has no normal images to add")
    return other


def _require_other_files(dataset: Dataset, other: Dataset) -> None:
    known = {each.fingerprint for each in dataset.mammograms}
    shared = [each.name for each in _labelled(other.mammograms, "normal") if each.fingerprint in known]
    if shared:
        raise Failure(f"{len(shared)} of the normal images of {other.name} are files of {dataset.name}, too, the first "
                      f"{shared[0]}: they could stand on both sides of the split. Take them out of one of the sets")


def _labelled(mammograms: Sequence[Mammogram], label: str) -> list[Mammogram]:
    return [each for each in mammograms if each.label == label]
