"""Tables 4.2, 4.3, 4.6 and 4.7 of the thesis: the figures as printed, and what they should have been.

Erratum: all twelve entries of the rows "Specificy" (sic) equal TN/(TN+TP), not (3.44), TN/(TN+FP). Accuracy, recall
and the numbers of images determine TP, FP, TN and FN, so that the specificity can be computed as it was defined.
The thesis prints no AUROC: its ROC curves are figures only.
"""
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.evaluation import metrics
from experiments.evaluation.per_class import ByClass, by_class

IMAGES = {"train": np.array([1483, 1901, 1401]), "test": np.array([370, 475, 350])}  # section 4.1; order of CLASSES
Row = tuple[float, float, float, float]  # cancer, normal, benign, mean


@dataclass(frozen=True)
class PrintedTable:
    """One table as printed; `printed_specificity` is the row that is not the specificity."""

    number: str
    classifier: str
    split: str
    accuracy: Row
    printed_specificity: Row
    precision: Row
    recall: Row

    @property
    def counts(self) -> metrics.Counts:
        """TP, FP, TN, FN of each class, (3,) int64, recovered from accuracy, recall and the numbers of images."""
        positive = IMAGES[self.split]
        total = positive.sum()
        tp = np.rint(np.array(self.recall[:3]) * positive).astype(np.int64)
        tn = np.rint(np.array(self.accuracy[:3]) * total).astype(np.int64) - tp
        return metrics.Counts(tp=tp, fp=total - positive - tn, tn=tn, fn=positive - tp)

    @property
    def specificity(self) -> ByClass:
        """(3.44) per class and mean, from the recovered counts."""
        return by_class(metrics.specificity(self.counts))

    def row(self, name: str) -> ByClass | None:
        """"accuracy", "precision" and "recall" as printed, "specificity" corrected; None for what is not there."""
        if name == "specificity":
            return self.specificity
        figures: Row | None = {"accuracy": self.accuracy, "precision": self.precision, "recall": self.recall}.get(name)
        return None if figures is None else dict(zip(("cancer", "normal", "benign", "mean"), figures, strict=True))


@dataclass(frozen=True)
class Shown:
    """Where the thesis shows an experiment's results: its tables by split, and the numbers of its figures."""

    tables: Mapping[str, PrintedTable]
    roc: str
    loss: str


END_TO_END = {
    "test": PrintedTable(
        "4.2", "end-to-end classifier", "test",
        accuracy=(0.6937, 0.8611, 0.7423, 0.7657),
        printed_specificity=(0.6972, 0.6550, 0.8095, 0.7206),
        precision=(0.5040, 0.8853, 0.5709, 0.6534),
        recall=(0.6784, 0.7474, 0.4829, 0.6362)),
    "train": PrintedTable(
        "4.3", "end-to-end classifier", "train",
        accuracy=(0.9026, 0.9528, 0.9335, 0.9296),
        printed_specificity=(0.6624, 0.6254, 0.7506, 0.6795),
        precision=(0.7678, 0.9810, 0.9729, 0.9072),
        recall=(0.9831, 0.8985, 0.7951, 0.8923)),
}

DECOMPOSITION = {
    "test": PrintedTable(
        "4.6", "decomposition classifier", "test",
        accuracy=(0.6921, 0.7347, 0.5305, 0.6524),
        printed_specificity=(0.9287, 0.7460, 0.5426, 0.7391),
        precision=(0.5086, 0.7743, 0.3666, 0.5499),
        recall=(0.1595, 0.4695, 0.8286, 0.4858)),
    "train": PrintedTable(
        "4.7", "decomposition classifier", "train",
        accuracy=(0.7062, 0.7329, 0.5306, 0.6566),
        printed_specificity=(0.9287, 0.7645, 0.5065, 0.7332),
        precision=(0.5951, 0.8027, 0.3739, 0.5906),
        recall=(0.1625, 0.4345, 0.8944, 0.4971)),
}
