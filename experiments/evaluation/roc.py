"""Receiver operating characteristic, one class against the others (Figures 4.1 and 4.5), by scikit-learn."""
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve


@dataclass(frozen=True)
class Curve:
    """Recall (3.45) over the fallout (corrected 3.47), both (k,) float64 from 0 to 1, as the threshold falls."""

    fallout: np.ndarray
    recall: np.ndarray
    auroc: float


def one_vs_all_curve(scores: np.ndarray, positive: np.ndarray) -> Curve | None:
    """The curve of (n,) scores for (n,) bool; None where all images are positive or none is: there is no such curve.

    The area is the probability that a positive image scores above a negative one, ties counting half.
    """
    if positive.all() or not positive.any():
        return None
    scores = scores.astype(np.float64)  # libraries may answer in the scores' dtype
    fallout, recall, _ = roc_curve(positive, scores)
    return Curve(fallout, recall, float(roc_auc_score(positive, scores)))


def curves(probabilities: np.ndarray, labels: np.ndarray) -> list[Curve | None]:
    """One curve a class from (n, C) outputs and (n,) int labels."""
    return [one_vs_all_curve(probabilities[:, c], labels == c) for c in range(probabilities.shape[1])]


def auroc(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(C,) float64, NaN for a class that has no curve."""
    return np.array([np.nan if curve is None else curve.auroc for curve in curves(probabilities, labels)])
