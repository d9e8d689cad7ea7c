"""Is one classifier better than another? Differences on the same test images, bootstrapped by patient.

A resample draws patients, and both classifiers are measured on the same draw, so that what makes an image hard for
both cancels out of the difference: two intervals that overlap say less than one interval of the difference.

Two uncertainties are to be kept apart.
- Of the patients: other women in the test set would have given another difference. The interval covers this one, for
  the trained networks as they are.
- Of the training: another seed gives other initial weights and batches, and so another network (and where the seed
  also splits the data, other test patients). No interval from one seed covers it. With several seeds the figures are
  averaged over the seeds inside every resample; the interval then speaks of the average of these trainings, still over
  patients alone, and the differences by seed stand beside it.
"""
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.errors import Failure
from experiments.evaluation.bootstrap import RESAMPLES, Figures, patient_weights, percentiles
from experiments.evaluation.metrics import predicted_classes
from experiments.evaluation.predictions import ImagePredictions


def compare(first: Sequence[ImagePredictions], second: Sequence[ImagePredictions], names: tuple[str, str],
            seed: int, resamples: int = RESAMPLES) -> dict[str, Any]:
    """first[k] and second[k]: the two classifiers' outputs on the test images of the k-th training seed.

    The images are matched by name. Patients are drawn from those of all seeds together; a test set takes from a draw
    the patients that are its own. As JSON's own types (undefined figures are None, see `metrics`):

    first, second                  the `names`
    seeds, images, patients        numbers of trainings, of test images in all of them, of patients
    resamples
    accuracy, auroc                for each class and mean: a figure. Accuracy is one-vs-all (3.48)
    plain_accuracy           a figure: the share of images whose class is right

    A figure: first, second, difference (first - second), averaged over the seeds; ci, its 95 % interval [low, high];
    by_seed, the difference of every seed; verdict, in words.

    Raises `Failure` where the two do not have the same images with the same labels and patients, and ValueError for
    other numbers of trainings or none.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"expected as many trainings of both classifiers, at least one, got {len(first)} and "
                         f"{len(second)}")
    second = [_matched(one, other, names) for one, other in zip(first, second, strict=True)]
    patients = np.unique(np.concatenate([one.patients for one in first]))
    pairs = [(_figures(one, patients), _figures(other, patients)) for one, other in zip(first, second, strict=True)]
    largest = max(map(len, first))
    result: dict[str, Any] = {
        "first": names[0], "second": names[1], "seeds": len(first), "images": sum(map(len, first)),
        "patients": len(patients), "resamples": resamples}
    measured = np.stack([_measure(pair, np.ones((1, len(patients))))[:, 0] for pair in pairs])  # (seeds, 2, k)
    drawn = [np.mean([_difference(pair, weights) for pair in pairs], axis=0)
             for weights in patient_weights(len(patients), largest, resamples, seed)]
    cis = percentiles(np.concatenate(drawn), len(patients))
    figures = [_figure(measured[:, :, place], ci, names) for place, ci in enumerate(cis)]
    classes = (*first[0].classes, "mean")
    result["accuracy"] = dict(zip(classes, figures, strict=False))
    result["plain_accuracy"] = figures[len(classes)]
    result["auroc"] = dict(zip(classes, figures[len(classes) + 1:], strict=True))
    return result


def verdict(difference: float | None, ci: Sequence[float] | None, by_seed: Sequence[float | None],
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
    if one.classes != other.classes:
        raise Failure(f"{names[0]} tells {', '.join(one.classes)} apart, {names[1]} {', '.join(other.classes)}: they "
                      "cannot be compared")
    place = {name: index for index, name in enumerate(other.names.tolist())}
    missing = sorted(set(one.names.tolist()) ^ set(place))
    if missing:
        raise Failure(f"{names[0]} and {names[1]} were not measured on the same images: {len(missing)} are in one test "
                      f"set only, {missing[0]} among them. Compare runs with the same data, seed and split")
    order = [place[name] for name in one.names.tolist()]
    found = ImagePredictions(other.names[order], other.patients[order], other.labels[order],
                             other.probabilities[order], other.classes)
    different = (found.labels != one.labels) | (found.patients != one.patients)
    if different.any():
        raise Failure(f"{names[0]} and {names[1]} disagree on label or patient of {different.sum()} images, "
                      f"{one.names[different][0]} among them: these are not runs on the same data")
    return found


def _figures(given: ImagePredictions, patients: np.ndarray) -> Figures:
    owner = np.searchsorted(patients, given.patients)
    return Figures(given.probabilities, given.labels, predicted_classes(given.probabilities), owner, len(patients))


def _measure(pair: tuple[Figures, Figures], weights: np.ndarray) -> np.ndarray:
    """(2, B, k): accuracy of each class, mean and plain accuracy, AUROC of each class and mean."""
    return np.stack([np.concatenate([one.accuracy(weights), one.auroc(weights)], axis=1) for one in pair])


def _difference(pair: tuple[Figures, Figures], weights: np.ndarray) -> np.ndarray:
    first, second = _measure(pair, weights)
    return first - second


def _figure(measured: np.ndarray, ci: np.ndarray, names: tuple[str, str]) -> Mapping[str, Any]:
    """measured (seeds, 2)."""
    by_seed = [_number(one - other) for one, other in measured]
    first, second = measured.mean(axis=0)
    difference = _number((measured[:, 0] - measured[:, 1]).mean())
    pair = None if np.isnan(ci).any() else [float(ci[0]), float(ci[1])]
    return {"first": _number(first), "second": _number(second), "difference": difference, "ci": pair,
            "by_seed": by_seed, "verdict": verdict(difference, pair, by_seed, names)}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
