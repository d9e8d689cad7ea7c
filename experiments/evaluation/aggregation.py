"""From images to breasts or patients: whoever reads mammograms sees all views of a woman before an answer is given."""
from __future__ import annotations

import numpy as np

from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import BREAST, IMAGE, MAXIMUM, Unit
from experiments.system.errors import Failure

SEVERITY = ("cancer", "benign", "normal")  # the worst first
MIXED = "mixed"  # a fact that the images of a unit do not share


def by_unit(predictions: ImagePredictions, unit: Unit) -> ImagePredictions:
    """The same of breasts or patients, in the order of their first images; of images, as it is.

    A unit's label is that of its worst image: cancer before benign before normal. Its outputs are

        mean      of every class the mean over its images
        maximum   of every class the largest, but of the least severe class (normal; of two classes, benign) the
                  smallest: a unit is of a worse class as soon as one of its images is, and normal only if all are

    They are not made to add up to 1: the network's outputs, a sigmoid for each class, do not either, and the order of
    the units by cancer is then that of the largest outputs themselves. A fact that the images do not share ("CC" and
    "MLO") is "mixed". Names: "PATIENT, left" or "PATIENT".

    Raises Failure where the unit is the breast and an image does not say which, and ValueError for predictions that
    are not of images.
    """
    if unit.kind == IMAGE:
        return predictions
    if predictions.unit.kind != IMAGE:
        raise ValueError(f"the predictions are of {predictions.unit.plural} already")
    names = predictions.patients
    if unit.kind == BREAST:
        _require_breasts(predictions)
        names = np.char.add(np.char.add(names, ", "), predictions.breasts)
    _, first, place = np.unique(names, return_index=True, return_inverse=True)
    order = np.argsort(first)  # units by their first images
    owner, first = np.argsort(order)[place], first[order]
    units = len(first)
    return ImagePredictions(names[first], predictions.patients[first], _worst(predictions, owner, units),
                            _outputs(predictions, owner, units, unit.over == MAXIMUM), predictions.classes,
                            {name: _shared(values, owner, units) for name, values in predictions.facts.items()}, unit)


def _require_breasts(predictions: ImagePredictions) -> None:
    unknown = predictions.breasts == ""
    if unknown.any():
        raise Failure(f"unit breast: of {unknown.sum()} of the {len(predictions)} images it is not known which breast "
                      f"they show, {predictions.names[unknown][0]} among them. Take the unit image or patient")


def _worst(predictions: ImagePredictions, owner: np.ndarray, units: int) -> np.ndarray:
    """(units,) int64 labels."""
    classes = [predictions.classes.index(name) for name in SEVERITY if name in predictions.classes]
    rank = np.argsort(classes)[predictions.labels]  # 0: the worst
    worst = np.full(units, len(classes))
    np.minimum.at(worst, owner, rank)
    return np.array(classes, dtype=np.int64)[worst]


def _outputs(predictions: ImagePredictions, owner: np.ndarray, units: int, maximum: bool) -> np.ndarray:
    """(units, C) float32."""
    given = predictions.probabilities.astype(np.float64)
    if not maximum:
        sums = np.zeros((units, given.shape[1]))
        np.add.at(sums, owner, given)
        return (sums / np.bincount(owner, minlength=units)[:, None]).astype(np.float32)
    least = predictions.classes.index([name for name in SEVERITY if name in predictions.classes][-1])
    sign = np.where(np.arange(given.shape[1]) == least, -1.0, 1.0)
    largest = np.full((units, given.shape[1]), -np.inf)
    np.maximum.at(largest, owner, sign * given)
    return (sign * largest).astype(np.float32)


def _shared(values: np.ndarray, owner: np.ndarray, units: int) -> np.ndarray:
    """(units,) str: what those images of a unit say that say something; "" where none does."""
    known: list[set[str]] = [set() for _ in range(units)]
    for unit, value in zip(owner.tolist(), values.tolist(), strict=True):
        if value:
            known[unit].add(value)
    return np.array([MIXED if len(each) > 1 else "".join(each) for each in known], dtype=str)
