"""The split into training and test set (4.1): by patient; the data set's own, else drawn with the same shares of the
classes on both sides."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.configuration.streams import SPLIT
from experiments.datasets import CLASSES
from experiments.datasets.mammogram import TEST, TRAINING
from experiments.system.errors import Failure

TRIES = 20
OWN, DRAWN = "its own", "drawn by the seed"


@dataclass(frozen=True, slots=True)
class Split:
    """train, test  (n,) int64, ascending indices of the images
    kept, drawn  how many patients are where the data set has them, and where the seed put them
    """
    train: np.ndarray
    test: np.ndarray
    kept: int
    drawn: int

    @property
    def said(self) -> str:
        """Whose split it is."""
        if not self.kept:
            return DRAWN
        return f"{OWN} for {self.kept} patients, {DRAWN} for {self.drawn}" if self.drawn else OWN

    @property
    def notes(self) -> list[str]:
        """What whoever reads a result must know of it: nothing where it is drawn."""
        if not self.kept:
            return []
        who = "" if not self.drawn else (
            f" That holds for {self.kept} patients; the other {self.drawn}, of whom it tells no part, were drawn.")
        return [f"Training and test set are those that the data set itself tells, whatever the seed.{who}"]


def require_all_classes(labels: np.ndarray, classes: tuple[str, ...] = CLASSES) -> None:
    """Raises `Failure` where a class has no images: a classifier needs some of each that it is to tell apart."""
    counts = np.bincount(labels, minlength=len(classes))
    if not counts.all():
        found = ", ".join(f"{count} {name}" for name, count in zip(classes, counts, strict=True))
        remedy = ("Take normal images from another data set with --normals DIR, or tell cancer and benign alone apart "
                  "with --classes 2" if [classes[index] for index in np.flatnonzero(counts == 0)] == ["normal"] else
                  "Add images of the missing class, or merge this set with another in the folder format")
        raise Failure(f"the data hold {found} images; the classifier tells {len(classes)} classes apart and needs "
                      f"images of each. {remedy}")


def split_by_part(labels: np.ndarray, patients: np.ndarray, parts: np.ndarray, seed: int,
                  classes: tuple[str, ...] = CLASSES) -> Split:
    """The data set's own split where it tells one: parts (N,) str, each of `mammogram.PARTS`. Patients of whose images
    it tells no part are drawn, as `split` draws them. labels (N,) int and patients (N,) str as there.

    Raises `Failure` for a patient in both parts, a class present that is then not on both sides, and as `split`.
    """
    in_training, in_test = (np.isin(patients, patients[parts == part]) for part in (TRAINING, TEST))
    both = np.unique(patients[in_training & in_test])
    if len(both):
        raise Failure(f"the data set's own split has {len(both)} of its patients in both parts, {TRAINING} and {TEST}, "
                      f"the first is {both[0]}: a patient's images never stand on both sides. Correct the table that "
                      "says which image is in which part")
    untold = np.flatnonzero(~(in_training | in_test))
    train, test = np.flatnonzero(in_training), np.flatnonzero(in_test)
    if len(untold):
        drawn = split(labels[untold], patients[untold], seed, classes=classes)
        train, test = (np.sort(np.concatenate([own, untold[more]]))
                       for own, more in zip((train, test), drawn, strict=True))
    for part, indices in ((TRAINING, train), (TEST, test)):
        for absent in np.setdiff1d(labels, labels[indices]):
            raise Failure(f"class {classes[absent]!r} has no images in the {part} part of the data set's own split; "
                          f"training and test need at least one patient each. Add {classes[absent]} images of that "
                          "part, or leave the class out")
    drawn_patients = len(np.unique(patients[untold]))
    return Split(train, test, len(np.unique(patients)) - drawn_patients, drawn_patients)


def split(labels: np.ndarray, patients: np.ndarray, seed: int, test_fraction: float = 0.2,
          classes: tuple[str, ...] = CLASSES, stream: int = SPLIT) -> tuple[np.ndarray, np.ndarray]:
    """(training indices, test indices), both ascending, of labels (N,) int and patients (N,) str.

    All images of a patient are on one side, every class present is on both, and the test set's share of each class is
    near `test_fraction`. Patients come in a random order; each goes to the test set where that brings its class counts
    nearer to the wanted ones, relative to the size of the class. Of several such orders the best is taken. The result
    depends on the seed, its stream and on who has which images, not on the order of the patients in the data.

    Raises `Failure` where a class has fewer than two patients, or no split has every class on both sides.
    """
    names, owner = np.unique(patients, return_inverse=True)
    present, label = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(names), len(present)))
    np.add.at(counts, (owner, label), 1)
    for index, having in zip(present, (counts > 0).sum(axis=0), strict=True):
        if having < 2:
            raise Failure(f"class {classes[index]!r} has images of {having} patient; training and test need at least "
                          "one each, because a patient's images never stand on both sides. Add images of another "
                          f"{classes[index]} patient, or leave the class out")
    generator = np.random.default_rng((seed, stream))
    drawn = [_draw_test_patients(counts, test_fraction, generator) for _ in range(TRIES)]
    possible = [test for test in drawn if counts[test].any(axis=0).all() and counts[~test].any(axis=0).all()]
    if not possible:
        raise Failure(f"no split of these {len(names)} patients has every class in both training and test set, since "
                      "patients with images of several classes go to one side as a whole. Add more patients")
    total = counts.sum(axis=0).tolist()
    best = min(possible, key=lambda test: _distance(counts[test].sum(axis=0).tolist(), total, test_fraction))
    return np.flatnonzero(~best[owner]), np.flatnonzero(best[owner])


def _draw_test_patients(counts: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """(P,) bool from (P, C) images by patient and class."""
    total, test = counts.sum(axis=0).tolist(), np.zeros(len(counts), dtype=bool)
    held = [0.0] * len(total)
    distance = _distance(held, total, fraction)
    having = counts.tolist()  # plain numbers: arrays of a few are slower, and there are many patients
    for patient in generator.permutation(len(counts)).tolist():
        larger = [one + more for one, more in zip(held, having[patient], strict=True)]
        if (closer := _distance(larger, total, fraction)) < distance:
            test[patient], held, distance = True, larger, closer
    for missing in [index for index, images in enumerate(held) if not images]:  # its share rounds to nothing
        test[generator.choice(np.flatnonzero(counts[:, missing]))] = True
    return test


def _distance(held: Sequence[float], total: Sequence[float], fraction: float) -> float:
    distance = 0.0
    for part, whole in zip(held, total, strict=True):
        distance += (part / whole - fraction) * (part / whole - fraction)
    return distance
