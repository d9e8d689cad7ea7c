"""The split into training and test set (4.1): by patient, with the same shares of the classes on both sides."""
import numpy as np

from experiments.configuration.streams import SPLIT
from experiments.datasets import CLASSES
from experiments.system.errors import Failure

TRIES = 20


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
    best = min(possible, key=lambda test: _distance(counts[test].sum(axis=0), counts.sum(axis=0), test_fraction))
    return np.flatnonzero(~best[owner]), np.flatnonzero(best[owner])


def _draw_test_patients(counts: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """(P,) bool from (P, C) images by patient and class."""
    total, test = counts.sum(axis=0), np.zeros(len(counts), dtype=bool)
    held = np.zeros_like(total)
    for patient in generator.permutation(len(counts)):
        larger = held + counts[patient]
        if _distance(larger, total, fraction) < _distance(held, total, fraction):
            test[patient], held = True, larger
    for missing in np.flatnonzero(held == 0):  # a class so small that its share rounds to nothing
        test[generator.choice(np.flatnonzero(counts[:, missing]))] = True
    return test


def _distance(held: np.ndarray, total: np.ndarray, fraction: float) -> float:
    return float(np.sum((held / total - fraction) ** 2))
