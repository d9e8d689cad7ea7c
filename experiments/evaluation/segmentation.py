"""How well predicted masks agree with annotated ones: per pixel, (3.45), (3.46), (3.48), and per image, (4.1).

    counts = pixel_counts(predicted, mask)          the pixels of all images together; counts of batches are added
    summary(counts)                                 {"accuracy", "precision", "recall"}
    overlap_accuracy(predicted, mask).mean()        the share of the lesions that were found

The accuracy says little of small lesions: an empty mask is right on all pixels but theirs. The overlap accuracy has the
opposite pitfall: a mask that covers the whole image finds every lesion. Neither may be read without the precision.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.evaluation import metrics
from experiments.evaluation.by_size import Overlap
from experiments.evaluation.froc import Froc
from experiments.evaluation.metrics import Counts
from experiments.evaluation.per_class import none_if_nan
from experiments.runs.log import Measures

OVERLAP = 0.2  # the coefficient from which on (4.1) counts a lesion as found
RATIOS = {"accuracy": metrics.accuracy, "precision": metrics.precision, "recall": metrics.recall}
MEASURES = ("loss", *RATIOS, "overlap_accuracy")  # of a detector, in the order of Figure 4.3's rows


@dataclass(frozen=True, slots=True)
class DetectorResults:
    """results.json of one detector: its MEASURES, None where undefined, on "train" and "test" images.

    group       those of its own size group
    complete    all that have a lesion
    sizes       of the test images of each size group
    froc        of the test images with a lesion and the normal ones

    The last two are None where an earlier version trained it.
    """
    group: dict[str, Measures]
    complete: dict[str, Measures]
    sizes: dict[str, Overlap] | None = None
    froc: Froc | None = None

    def __post_init__(self) -> None:
        """Raises ValueError where one is absent: a file that holds them is damaged."""
        for scope, found in (("group", self.group), ("complete", self.complete)):
            for split in ("train", "test"):
                missing = [measure for measure in MEASURES if measure not in found.get(split, {})]
                if missing:
                    raise ValueError(f"`{scope}` lacks {', '.join(missing)} of the {split} images")


def pixel_counts(predicted: np.ndarray, mask: np.ndarray) -> Counts:
    """Pixels by prediction and annotation, those of the lesion as positive: four int64 scalars.

    predicted, mask: (n, h, w, 1) bool, or any other one shape. Raises ValueError for two shapes or another dtype: of
    probabilities, and of masks as numbers, someone has first to say from which value on they are lesion.
    """
    _check(predicted, mask)
    kinds = predicted & mask, predicted & ~mask, ~predicted & ~mask, ~predicted & mask
    return Counts(*np.array([np.count_nonzero(pixels) for pixels in kinds]))


def summary(counts: Counts) -> Measures:
    """Accuracy (3.48), precision (3.46) and recall (3.45) per pixel; None where undefined, 0/0."""
    return {name: none_if_nan(function(counts)) for name, function in RATIOS.items()}


def overlap(predicted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(n,) float64: the Szymkiewicz-Simpson coefficient |A and B| / min(|A|, |B|) of each image, from 0 to 1.

    predicted, mask: (n, h, w, 1) bool, or (n, ...) of any other one shape; errors as of `pixel_counts`. It is 1 as soon
    as one set lies inside the other, so also for a single right pixel, and for a prediction that covers everything.

    Where a set is empty the coefficient is 0/0. Here it is 1 if both are: nothing was there, and nothing found; and 0
    if one is: a lesion was missed, or one found where there is none.
    """
    _check(predicted, mask)
    a, b, both = (pixels.reshape(len(pixels), -1).sum(axis=1) for pixels in (predicted, mask, predicted & mask))
    smaller = np.minimum(a, b)
    return np.where(smaller > 0, both / np.maximum(smaller, 1), a == b).astype(np.float64)


def overlap_accuracy(predicted: np.ndarray, mask: np.ndarray, threshold: float = OVERLAP) -> np.ndarray:
    """(n,) float64: 1 for each image whose `overlap` is at least the threshold, else 0, (4.1).

    Its mean over images is what Figure 4.3 calls overlap accuracy. A prediction that covers everything scores 1, as
    the first steps of a training do: a network whose initial outputs are positive "finds" every lesion.
    """
    return (overlap(predicted, mask) >= threshold).astype(np.float64)


def _check(predicted: np.ndarray, mask: np.ndarray) -> None:
    if predicted.shape != mask.shape or predicted.dtype != np.bool_ or mask.dtype != np.bool_:
        raise ValueError(f"the prediction is {predicted.dtype} {predicted.shape} and the mask {mask.dtype} "
                         f"{mask.shape}; expected bool of one shape")
