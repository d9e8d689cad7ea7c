"""Free-response ROC: which share of the lesions a detector finds at how many false marks in an image.

A mark is a connected part of the pixels where the output is above the detector's threshold; pixels that touch by a
corner are connected. Its score is the mean output of its pixels. A lesion is a connected part of the annotation. A mark
hits a lesion if their intersection is at least a fifth of their union (IoU 0.2, as is usual for masses: Dhungel,
Carneiro and Bradley, Medical Image Analysis 37, 2017, 114-128). The coefficient of (4.1) would not do: it is 1 as soon
as a mark covers the lesion, so that a mask of the whole image would find everything without a false mark.

    image_marks(output, annotated)     of one image; linear in its pixels
    froc(found, patients)              of all images

A mark that hits no lesion is a false positive; of several that hit one lesion each counts as right, and the lesion
once. While the threshold on the scores falls from above the highest to that of the detector, the curve runs from (0, 0)
to what the detector's masks as they are give. The false positives are the mean over all images, those without a lesion
among them.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from experiments.evaluation.intervals import Estimate, Interval, proportion
from experiments.evaluation.intervals.rate import rate
from experiments.evaluation.per_class import none_if_nan

IOU = 0.2
RATES = (0.25, 0.5, 1.0, 2.0)  # false positives in an image at which the sensitivity is told
TOUCHING = np.ones((3, 3), int)
POINTS = 100  # of a curve that are kept


@dataclass(frozen=True, slots=True)
class ImageMarks:
    """lesions  (l,) float64: of each lesion the highest score of a mark that hits it, -inf where none does
    wrong    (k,) float64: the scores of the marks that hit no lesion"""
    lesions: np.ndarray
    wrong: np.ndarray


@dataclass(frozen=True, slots=True)
class FrocPoint:
    """The sensitivity, and the false positives of an image, at one threshold on the scores; intervals by patient, 95 %,
    None where undefined. That the threshold was read off the same images is not in them."""
    sensitivity: float | None
    sensitivity_ci: Interval | None
    false_positives: float
    false_positives_ci: Interval | None


@dataclass(frozen=True, slots=True)
class Froc:
    """images, lesions, patients    numbers of them
    all_marks    the detector's masks as they are
    at           RATES -> the lowest threshold with so many false positives in an image or fewer
    curve        (false positives of an image, sensitivity) as the threshold falls; empty without lesions
    """
    images: int
    lesions: int
    patients: int
    all_marks: FrocPoint
    at: dict[str, FrocPoint]
    curve: list[tuple[float, float]]


def image_marks(output: np.ndarray, annotated: np.ndarray, threshold: float) -> ImageMarks:
    """output (h, w) in [0, 1], annotated (h, w) bool."""
    marks, count = ndimage.label(output > threshold, TOUCHING)
    lesions, known = ndimage.label(annotated, TOUCHING)
    sizes = np.bincount(marks.ravel(), minlength=count + 1)
    scores = np.bincount(marks.ravel(), weights=output.ravel(), minlength=count + 1)[1:] / sizes[1:]
    areas = np.bincount(lesions.ravel(), minlength=known + 1)
    both = (marks > 0) & (lesions > 0)
    pairs, shared = np.unique(marks[both].astype(np.int64) * (known + 1) + lesions[both], return_counts=True)
    mark, lesion = np.divmod(pairs, known + 1)
    hits = shared >= IOU * (sizes[mark] + areas[lesion] - shared)
    best = np.full(known, -np.inf)
    np.maximum.at(best, lesion[hits] - 1, scores[mark[hits] - 1])
    right = np.zeros(count, bool)
    right[mark[hits] - 1] = True
    return ImageMarks(best, scores[~right])


def froc(found: Sequence[ImageMarks], patients: np.ndarray) -> Froc:
    """found: what was marked in each of n >= 1 images; patients: (n,) str, whose they are."""
    names, owner = np.unique(patients, return_inverse=True)
    best = np.concatenate([each.lesions for each in found])
    wrong = np.sort(np.concatenate([each.wrong for each in found]))[::-1]

    def at(threshold: float) -> FrocPoint:
        counts = np.array([np.count_nonzero(each.wrong >= threshold) for each in found])
        return _point(proportion(best >= threshold, owner_of_lesions, len(names)), rate(counts, owner, len(names)))

    owner_of_lesions = np.repeat(owner, [len(each.lesions) for each in found])
    return Froc(len(found), len(best), len(names), at(np.finfo(float).min),
                {f"{each:g}": at(_lowest(wrong, int(each * len(found)))) for each in RATES},
                _curve(best, wrong, len(found)) if len(best) else [])


def _lowest(wrong: np.ndarray, allowed: int) -> float:
    """The threshold just above which `allowed` of the scores (k,), descending, lie, or fewer where some are equal."""
    return float(np.nextafter(wrong[allowed], np.inf)) if allowed < len(wrong) else float(np.finfo(float).min)


def _curve(best: np.ndarray, wrong: np.ndarray, images: int) -> list[tuple[float, float]]:
    """Its corners: one for each score at which something is added; at most POINTS, evenly chosen, both ends kept."""
    hits = np.sort(best[np.isfinite(best)])[::-1]
    thresholds = np.unique(np.concatenate([hits, wrong]))[::-1]
    falling = -thresholds
    false = np.searchsorted(-wrong, falling, side="right") / images
    sensitivity = np.searchsorted(-hits, falling, side="right") / len(best)
    points = [(0.0, 0.0), *zip(false.tolist(), sensitivity.tolist(), strict=True)]
    chosen = np.unique(np.linspace(0, len(points) - 1, min(POINTS, len(points))).round().astype(int))
    return [points[place] for place in chosen]


def _point(sensitivity: Estimate, false_positives: Estimate) -> FrocPoint:
    return FrocPoint(none_if_nan(sensitivity.value), sensitivity.interval, false_positives.value,
                     false_positives.interval)
