"""95 % percentile intervals, bootstrapped by patient.

Images of one woman resemble one another, so they are not independent observations: what is drawn again, with
replacement, is patients, each with all her images, as many patients as there are. A resample is a weight per patient,
how often she was drawn; every figure is computed with those weights, never on copied images.

A resample in which a class is absent has no AUROC for that class, and so no mean AUROC; the interval is taken over the
resamples that have one, and it is undefined (NaN) where fewer than half of them do. With a single patient every
resample is the same: all intervals are undefined. An interval without width means only that no resample differs (for
example no error at all was made), not that the figure is certain.
"""
from collections.abc import Iterator

import numpy as np

from experiments.evaluation.metrics import ratio

RESAMPLES = 1000
LEVELS = (2.5, 97.5)  # percent
CHUNK_ELEMENTS = 2_000_000  # weights held at once: 16 MB


def intervals(probabilities: np.ndarray, labels: np.ndarray, predicted: np.ndarray, patients: np.ndarray,
              seed: int, resamples: int = RESAMPLES) -> dict[str, np.ndarray]:
    """Intervals for (n, C) outputs, (n,) labels and predicted classes (int) and (n,) patients.

    "accuracy" (one-vs-all, 3.48) and "auroc": (C + 1, 2) float64 [low, high], the last row for the mean over classes;
    "plain_accuracy": (2,). The order of the images does not matter; the same seed gives the same intervals.
    """
    names, owner = np.unique(patients, return_inverse=True)
    figures = Figures(probabilities, labels, predicted, owner, len(names))
    accuracies, aurocs = [], []
    for weights in patient_weights(len(names), len(labels), resamples, seed):
        accuracies.append(figures.accuracy(weights))
        aurocs.append(figures.auroc(weights))
    accuracy = percentiles(np.concatenate(accuracies), len(names))
    return {"accuracy": accuracy[:-1], "plain_accuracy": accuracy[-1],
            "auroc": percentiles(np.concatenate(aurocs), len(names))}


class Figures:
    """A classifier's figures for many weightings of the same P patients at once.

    owner  (n,) int, the index of each image's patient. Weights: (B, P) float64.
    """

    def __init__(self, probabilities: np.ndarray, labels: np.ndarray, predicted: np.ndarray, owner: np.ndarray,
                 patients: int) -> None:
        classes = np.arange(probabilities.shape[1])
        agree = (labels[:, None] == classes) == (predicted[:, None] == classes)
        self._sums = np.zeros((patients, len(classes) + 2))  # whole numbers: sums are exact in whatever order
        np.add.at(self._sums, owner, np.column_stack([agree, labels == predicted, np.ones(len(labels))]))
        self._rankings = [Ranking(probabilities[:, c], labels == c) for c in classes]
        self._owner = owner

    def accuracy(self, weights: np.ndarray) -> np.ndarray:
        """(B, C + 2): one-vs-all (3.48) of each class, their mean, and the share of images whose class is right.

        NaN where no image has weight.
        """
        sums = weights @ self._sums
        right = ratio(sums[:, :-1], sums[:, -1:])
        return np.column_stack([right[:, :-1], right[:, :-1].mean(axis=1), right[:, -1]])

    def auroc(self, weights: np.ndarray) -> np.ndarray:
        """(B, C + 1): of each class and their mean; NaN where a class or its complement has no weight."""
        of_images = weights[:, self._owner]
        by_class = np.column_stack([ranking.auroc(of_images) for ranking in self._rankings])
        return np.column_stack([by_class, by_class.mean(axis=1)])


class Ranking:
    """The images in the order of their scores, to compute the AUROC for many weightings of the same images at once."""

    def __init__(self, scores: np.ndarray, positive: np.ndarray) -> None:
        self._order = np.argsort(scores, kind="stable")
        ranked = scores[self._order]
        self._starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
        self._positive = positive[self._order].astype(np.float64)

    def auroc(self, weights: np.ndarray) -> np.ndarray:
        """(B,) from (B, n) weights: the probability that a positive outranks a negative, ties counting half.

        NaN where the positives or the negatives have no weight.
        """
        ranked = weights[:, self._order]
        positive = np.add.reduceat(ranked * self._positive, self._starts, axis=1)
        negative = np.add.reduceat(ranked, self._starts, axis=1) - positive
        below = np.cumsum(negative, axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        return np.divide((positive * below).sum(axis=1), pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def patient_weights(patients: int, images: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """(b, P) float64 weights, in chunks that are the smaller the more images: how often each patient was drawn."""
    generator = np.random.default_rng(seed)
    chunk = max(1, CHUNK_ELEMENTS // images)
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        drawn = generator.integers(patients, size=(count, patients)) + patients * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * patients).reshape(count, patients).astype(np.float64)


def percentiles(values: np.ndarray, patients: int) -> np.ndarray:
    """(k, 2) from (B, k), columns that are defined in fewer than half of the resamples giving NaN."""
    result = np.full((values.shape[1], 2), np.nan)
    for place, column in enumerate(values.T):
        defined = column[np.isfinite(column)]
        if patients > 1 and 2 * len(defined) >= len(column):
            result[place] = np.percentile(defined, LEVELS)
    return result
