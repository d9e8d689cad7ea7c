"""Is one classifier better than another? Differences on the same test images, with intervals by patient.

Both classifiers are measured on the same patients, so that what makes an image hard for both cancels out of the
difference: two intervals that overlap say less than one interval of the difference (`intervals.combine`).

Two uncertainties are to be kept apart.
- Of the patients: other women in the test set would have given another difference. The interval covers this one, for
  the trained networks as they are.
- Of the training: another seed gives other initial weights and batches, and so another network (and where the seed
  also splits the data, other test patients). No interval from one seed covers it. With several seeds the figures are
  averaged over the seeds; the interval then speaks of the average of these trainings, still over patients alone, and
  the differences by seed stand beside it.

What the interval covers, simulated (400 to 500 test sets each). Accuracy: 6, 10, 22 and 60 patients with 1 to 7
images, accuracies between 0.5 and 0.99, alike or not: 93.5 to 100 %. AUROC: 8 and 36, 20 and 40, 5 and 200 patients of
two images, areas between 0.5 and 0.97: 93.6 to 100 %; near 1 it is wider than need be. Student's interval of the
patients' differences covered as few as 61 % (accuracy) and 85 % (AUROC). DeLong's test, clustered by patient, stands
beside the AUROC's, since reviewers ask for it; it covers less (`intervals.delong`), and no verdict is drawn from it.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.evaluation.intervals import DeLong, Estimate, Interval, classifier_estimates, combine, delong
from experiments.evaluation.metrics import predicted_classes
from experiments.evaluation.per_class import none_if_nan, require_same_classes
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import IMAGES, Unit
from experiments.system.errors import Failure


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one metric; undefined figures are None, see `metrics`.

    first, second, difference (first - second)      averaged over the seeds
    ci         of the difference, 95 %               by_seed    the difference of every seed
    verdict    in words
    delong     of an AUROC: DeLong's test of the same difference
    """
    first: float | None
    second: float | None
    difference: float | None
    ci: Interval | None
    by_seed: tuple[float | None, ...]
    verdict: str
    delong: DeLong | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """first, second                  names of the classifiers
    seeds, images, patients        numbers of trainings, of test images (or other units) in all of them, of patients
    accuracy, auroc                by class and mean; accuracy is one-vs-all (3.48)
    plain_accuracy                 the share of images whose class is right
    """
    first: str
    second: str
    seeds: int
    images: int
    patients: int
    accuracy: dict[str, Difference]
    plain_accuracy: Difference
    auroc: dict[str, Difference]
    unit: Unit = IMAGES

    def __post_init__(self) -> None:
        require_same_classes({"accuracy": self.accuracy, "auroc": self.auroc})


def compare(first: Sequence[ImagePredictions], second: Sequence[ImagePredictions], names: tuple[str, str]
            ) -> Comparison:
    """first[k] and second[k]: the two classifiers' outputs on the test images of the k-th training seed.

    The images are matched by name. The patients are those of all seeds together; one who is in the test sets of several
    seeds counts once.

    Raises `Failure` where the two do not have the same images with the same labels and patients, and ValueError for
    other numbers of trainings or none, and for other units.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"expected as many trainings of both classifiers, at least one, got {len(first)} and "
                         f"{len(second)}")
    second = [_matched(one, other, names) for one, other in zip(first, second, strict=True)]
    patients = np.unique(np.concatenate([one.patients for one in first]))
    of_seeds = [zip(_estimates(one, patients), _estimates(other, patients), strict=True)
                for one, other in zip(first, second, strict=True)]
    classes = (*first[0].classes, "mean")
    differences = [_difference(of_metric, names, of_areas=place > len(classes))
                   for place, of_metric in enumerate(zip(*of_seeds, strict=True))]
    return Comparison(
        names[0], names[1], seeds=len(first), images=sum(map(len, first)), patients=len(patients),
        accuracy=dict(zip(classes, differences, strict=False)), plain_accuracy=differences[len(classes)],
        auroc=dict(zip(classes, differences[len(classes) + 1:], strict=True)), unit=first[0].unit)


def verdict(difference: float | None, ci: Interval | None, by_seed: Sequence[float | None],
            names: tuple[str, str]) -> str:
    """What the interval of the difference allows to say, and no more."""
    if difference is None:
        return "undefined, since a class is absent"
    if ci is None:
        return "no interval could be determined: nothing can be said"
    if ci[0] <= 0 <= ci[1]:
        return "the interval contains 0: not distinguishable"
    side, sign, better = ("above", 1, names[0]) if ci[0] > 0 else ("below", -1, names[1])
    found = f"the interval lies {side} 0: {better} is better"
    if len(by_seed) == 1:
        return f"{found}, as far as one training of each can tell"
    every = "and" if all(value is not None and value * sign > 0 for value in by_seed) else "but not"
    return f"{found} on average over {len(by_seed)} seeds, {every} with every one"


def _matched(one: ImagePredictions, other: ImagePredictions, names: tuple[str, str]) -> ImagePredictions:
    """`other` in the order of `one`."""
    if one.unit != other.unit:
        raise ValueError(f"the outputs are of {one.unit.described} and of {other.unit.described}")
    if one.classes != other.classes:
        raise Failure(f"{names[0]} tells {', '.join(one.classes)} apart, {names[1]} {', '.join(other.classes)}: they "
                      "cannot be compared")
    place = {name: index for index, name in enumerate(other.names.tolist())}
    missing = sorted(set(one.names.tolist()) ^ set(place))
    if missing:
        raise Failure(f"{names[0]} and {names[1]} were not measured on the same images: {len(missing)} are in one test "
                      f"set only, {missing[0]} among them. Compare runs with the same data, seed and split")
    found = other.at([place[name] for name in one.names.tolist()])
    different = (found.labels != one.labels) | (found.patients != one.patients)
    if different.any():
        raise Failure(f"{names[0]} and {names[1]} disagree on label or patient of {different.sum()} images, "
                      f"{one.names[different][0]} among them: these are not runs on the same data")
    return found


def _estimates(given: ImagePredictions, patients: np.ndarray) -> list[Estimate]:
    """Accuracy of each class, mean and plain accuracy, AUROC of each class and mean."""
    return classifier_estimates(given.probabilities, given.labels, predicted_classes(given.probabilities),
                                np.searchsorted(patients, given.patients), len(patients)).listed


def _difference(of_seeds: Sequence[tuple[Estimate, Estimate]], names: tuple[str, str], of_areas: bool
                ) -> Difference:
    """of_seeds: one metric of the first and of the second classifier, of each training seed; of_areas: an AUROC."""
    share = 1 / len(of_seeds)
    found = combine([each for both in of_seeds for each in both], [share, -share] * len(of_seeds))
    by_seed = tuple(none_if_nan(one.value - other.value) for one, other in of_seeds)
    first, second = (none_if_nan(np.mean([both[place].value for both in of_seeds])) for place in (0, 1))
    difference = none_if_nan(found.value)
    return Difference(first, second, difference, found.interval, by_seed,
                      verdict(difference, found.interval, by_seed, names), delong(found) if of_areas else None)
