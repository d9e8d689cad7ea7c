"""The counts behind the thesis's Tables 4.2, 4.3, 4.6 and 4.7: all that fit the printed figures, and what follows.

Nothing is assumed but the numbers of images (section 4.1) and that figures were rounded to four decimals: every TP
from 0 to the positives and every TN from 0 to the negatives is tried. Rounding is judged in whole numbers, with both
neighbours of a half admitted, so that no solution is lost to floating point or to a rule of rounding.
"""
from typing import Any

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import metrics, thesis
from experiments.evaluation.classification import by_class
from experiments.evaluation.guesser import uniform_guesser
from experiments.evaluation.thesis import PrintedTable

TABLES = (*thesis.END_TO_END.values(), *thesis.DECOMPOSITION.values())
ABSTRACT = {"end-to-end classifier": 0.7657, "decomposition classifier": 0.6566}  # mean accuracies, as printed
FOOTNOTE_5 = (0.545, 0.507, 0.553)
UNIT = 10_000  # four decimals


def rounds_to(numerator: np.ndarray, denominator: np.ndarray, printed: float) -> np.ndarray:
    """Bool: |numerator/denominator - printed| <= 0.00005, for whole numbers >= 0; False for a denominator 0."""
    return (2 * np.abs(UNIT * numerator - round(UNIT * printed) * denominator) <= denominator) & (denominator > 0)


def matching_counts(table: PrintedTable, place: int, corrected: bool = False) -> np.ndarray:
    """(k, 4) int64: all TP, FP, TN, FN of the class at `place` in CLASSES whose figures round to the printed ones.

    Accuracy, recall and precision, and the row "Specificy" read as TN/(TN+TP); corrected: read as (3.44) instead.
    """
    positives = thesis.IMAGES[table.split][place]
    negatives = thesis.IMAGES[table.split].sum() - positives
    tp = np.arange(positives + 1)
    tp = tp[rounds_to(tp, positives, table.recall[place])][:, None]
    tn = np.arange(negatives + 1)[None]
    fits = (rounds_to(tp + tn, positives + negatives, table.accuracy[place])
            & rounds_to(tp, tp + negatives - tn, table.precision[place])
            & rounds_to(tn, negatives if corrected else tn + tp, table.printed_specificity[place]))
    found, true_negatives = tp[np.nonzero(fits)[0], 0], np.nonzero(fits)[1]
    return np.column_stack([found, negatives - true_negatives, true_negatives, positives - found])


def audit() -> dict[str, Any]:
    """What the printed figures hold, as JSON's own types.

    tables        number of the table -> as `_audit_table` says
    abstract      classifier -> printed and recomputed mean accuracy on the test set
    footnote_5    class -> printed and recomputed accuracy of the uniform guesser, and the class's images of all images
    """
    labels = np.repeat(np.arange(3), sum(thesis.IMAGES.values()))
    guesses, images = by_class(uniform_guesser(labels)["accuracy"]), np.bincount(labels)
    return {
        "tables": {table.number: _audit_table(table) for table in TABLES},
        "abstract": {table.classifier: {"printed": ABSTRACT[table.classifier],
                                        "recomputed": by_class(metrics.accuracy(table.counts))["mean"]}
                     for table in TABLES if table.split == "test"},
        "footnote_5": {name: {"printed": printed, "recomputed": guesses[name], "images": int(images[place]),
                              "all_images": len(labels)}
                       for place, (name, printed) in enumerate(zip(CLASSES, FOOTNOTE_5, strict=True))},
    }


def _audit_table(table: PrintedTable) -> dict[str, Any]:
    """classifier, split

    counts                class -> tp, fp, tn, fn; solutions, how many counts fit the table; solutions_by_3_44, how
                          many would if the row "Specificy" were (3.44)
    entries               row of the table -> class or mean -> printed, recomputed by (3.44) to (3.48)
    as_printed            class or mean -> TN/(TN+TP)
    right, images         answers that are right, and the images of the split: the plain three-class accuracy
    answers               sum of TP + FP: equals the images where every image got one answer
    """
    counts = table.counts
    recomputed = {"accuracy": metrics.accuracy(counts), "specificity": metrics.specificity(counts),
                  "precision": metrics.precision(counts), "recall": metrics.recall(counts)}
    printed = {"accuracy": table.accuracy, "specificity": table.printed_specificity, "precision": table.precision,
               "recall": table.recall}
    return {
        "classifier": table.classifier, "split": table.split,
        "counts": {name: {"tp": int(counts.tp[place]), "fp": int(counts.fp[place]), "tn": int(counts.tn[place]),
                          "fn": int(counts.fn[place]), "solutions": len(matching_counts(table, place)),
                          "solutions_by_3_44": len(matching_counts(table, place, corrected=True))}
                   for place, name in enumerate(CLASSES)},
        "entries": {row: {name: {"printed": figure, "recomputed": value} for figure, (name, value) in
                          zip(printed[row], by_class(values).items(), strict=True)}
                    for row, values in recomputed.items()},
        "as_printed": by_class(metrics.ratio(counts.tn, counts.tn + counts.tp)),
        "right": int(counts.tp.sum()), "images": int(thesis.IMAGES[table.split].sum()),
        "answers": int((counts.tp + counts.fp).sum()),
    }
