"""What needs no network: guessing, and always giving the same answer."""
import numpy as np

from experiments.evaluation import metrics


def uniform_guesser(labels: np.ndarray, classes: int = 3) -> dict[str, np.ndarray]:
    """Expected figures, each (C,), of guessing all classes with equal probability: footnote 5 of the thesis.

    With p the share of a class among the labels its accuracy is p/3 + (1 - p) 2/3 for three classes. Recall is 1/3 and
    specificity 2/3 whatever p (NaN without positives or negatives), precision p, and AUROC 1/2.

    Erratum: the thesis's 0.545, 0.507, 0.553 for cancer, normal and benign do not follow from this, its own, formula;
    its classes (1853, 2376 and 1751 images) give 0.563, 0.534 and 0.569.
    """
    share = np.bincount(labels, minlength=classes) / len(labels)
    chance = 1 / classes
    both = (share > 0) & (share < 1)
    return {
        "accuracy": share * chance + (1 - share) * (1 - chance),
        "specificity": np.where(share < 1, 1 - chance, np.nan),
        "precision": share,
        "recall": np.where(share > 0, chance, np.nan),
        "auroc": np.where(both, 0.5, np.nan),
    }


def majority(labels: np.ndarray, classes: int = 3) -> tuple[int, np.ndarray]:
    """The most frequent class (the first of equals) and the one-vs-all accuracy (C,) of always answering it.

    Footnote 5 warns of it: on unbalanced data it has a large accuracy and knows nothing.
    """
    frequent = int(np.argmax(np.bincount(labels, minlength=classes)))
    confusion = metrics.confusion_matrix(labels, np.full_like(labels, frequent), classes)
    return frequent, metrics.accuracy(metrics.one_vs_all(confusion))
