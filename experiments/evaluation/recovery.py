"""The counts behind the thesis's Tables 4.2, 4.3, 4.6 and 4.7: all that fit the printed figures, and what follows.

Nothing is assumed but the numbers of images (section 4.1) and that figures were rounded to four decimals: every TP
from 0 to the positives and every TN from 0 to the negatives is tried. Rounding is judged in whole numbers, with both
neighbours of a half admitted, so that no solution is lost to floating point or to a rule of rounding.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import metrics, thesis
from experiments.evaluation.guesser import uniform_guesser
from experiments.evaluation.thesis import PrintedTable

TABLES = (*thesis.END_TO_END.values(), *thesis.DECOMPOSITION.values())
ABSTRACT = {"end-to-end classifier": 0.7657, "decomposition classifier": 0.6566}  # mean accuracies, as printed
FOOTNOTE_5 = (0.545, 0.507, 0.553)
UNIT = 10_000  # four decimals


@dataclass(frozen=True, slots=True)
class Recovered:
    """Of one class of a table: its counts, how many counts fit what is printed, and how many would if the row
    "Specificy" were (3.44)."""
    tp: int
    fp: int
    tn: int
    fn: int
    solutions: int
    solutions_by_3_44: int


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A figure of the thesis."""
    printed: float
    recomputed: float


@dataclass(frozen=True, slots=True)
class RecomputedGuess:
    """Footnote 5's accuracy of the uniform guesser for one class, of which there are so many images of all."""
    printed: float
    recomputed: float
    images: int
    all_images: int


@dataclass(frozen=True, slots=True)
class AuditedTable:
    """counts          by class
    entries         row of the table -> class or "mean" -> as printed, and by (3.44) to (3.48)
    as_printed      class or "mean" -> TN/(TN+TP)
    right, images   answers that are right, and the images of the split: the plain three-class accuracy
    answers         sum of TP + FP: equals the images where every image got one answer
    """
    classifier: str
    split: str
    counts: dict[str, Recovered]
    entries: dict[str, dict[str, Recomputed]]
    as_printed: dict[str, float]
    right: int
    images: int
    answers: int


@dataclass(frozen=True, slots=True)
class Audit:
    """What the printed figures hold.

    tables        by number
    abstract      classifier -> mean accuracy on the test set
    footnote_5    by class
    """
    tables: dict[str, AuditedTable]
    abstract: dict[str, Recomputed]
    footnote_5: dict[str, RecomputedGuess]


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


def audit() -> Audit:
    """The thesis's tables, abstract and footnote 5, recomputed."""
    labels = np.repeat(np.arange(3), sum(thesis.IMAGES.values()))
    guesses, images = uniform_guesser(labels)["accuracy"], np.bincount(labels)
    return Audit(
        tables={table.number: _audited(table) for table in TABLES},
        abstract={table.classifier: Recomputed(ABSTRACT[table.classifier], float(metrics.accuracy(table.counts).mean()))
                  for table in TABLES if table.split == "test"},
        footnote_5={name: RecomputedGuess(FOOTNOTE_5[place], float(guesses[place]), int(images[place]), len(labels))
                    for place, name in enumerate(CLASSES)})


def _audited(table: PrintedTable) -> AuditedTable:
    counts = table.counts
    rows = {"accuracy": (table.accuracy, metrics.accuracy(counts)),
            "specificity": (table.printed_specificity, metrics.specificity(counts)),
            "precision": (table.precision, metrics.precision(counts)),
            "recall": (table.recall, metrics.recall(counts))}
    return AuditedTable(
        table.classifier, table.split,
        counts={name: Recovered(int(counts.tp[place]), int(counts.fp[place]), int(counts.tn[place]),
                                int(counts.fn[place]), len(matching_counts(table, place)),
                                len(matching_counts(table, place, corrected=True)))
                for place, name in enumerate(CLASSES)},
        entries={row: {name: Recomputed(figure, value) for figure, (name, value) in
                       zip(printed, _with_mean(values).items(), strict=True)}
                 for row, (printed, values) in rows.items()},
        as_printed=_with_mean(metrics.ratio(counts.tn, counts.tn + counts.tp)),
        right=int(counts.tp.sum()), images=int(thesis.IMAGES[table.split].sum()),
        answers=int((counts.tp + counts.fp).sum()))


def _with_mean(values: np.ndarray) -> dict[str, float]:
    """(3,) float64, all defined."""
    return dict(zip((*CLASSES, "mean"), [*values.tolist(), float(values.mean())], strict=True))
