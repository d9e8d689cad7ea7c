"""Errata 14 to 16: the specificities of chapter 4's tables, the abstract's figure, footnote 5's guesser."""
from __future__ import annotations

import numpy as np
from numpy.random import Generator

from companion.errata.erratum import Erratum, Form, Outcome
from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import metrics, thesis
from experiments.evaluation.guesser import uniform_guesser
from experiments.evaluation.recovery import ABSTRACT, FOOTNOTE_5, TABLES
from experiments.evaluation.thesis import PrintedTable

HALF_A_DIGIT = 5e-5  # of a figure with four decimals
LABELS = np.repeat(np.arange(3), sum(thesis.IMAGES.values()))


def specificy_as_printed(table: PrintedTable) -> np.ndarray:
    return np.array(table.printed_specificity[:3])


def specificity_of_the_counts(table: PrintedTable) -> np.ndarray:
    return metrics.specificity(table.counts)


def deviations(form: Form) -> dict[str, float]:
    """By table and class: how far recall p + specificity (1 - p), p the class's share, is from the printed accuracy."""
    found = {}
    for table in TABLES:
        share = thesis.IMAGES[table.split] / thesis.IMAGES[table.split].sum()
        accuracy = np.array(table.recall[:3]) * share + form(table) * (1 - share)
        for name, difference in zip(CLASSES, np.abs(accuracy - table.accuracy[:3]), strict=True):
            found[f"Table {table.number}, {name}"] = float(difference)
    return found


def explains_the_accuracy(form: Form, rng: Generator) -> Outcome:
    found = deviations(form)
    fitting = sum(deviation <= 2 * HALF_A_DIGIT for deviation in found.values())
    return Outcome(max(found.values()), 2 * HALF_A_DIGIT, f"{fitting} of {len(found)} entries fit their column; the "
                   f"accuracies are off by {min(found.values()):.5f} to {max(found.values()):.5f}")


def figure_of_the_abstract() -> float:
    return ABSTRACT["decomposition classifier"]


def figure_of_table_4_6() -> float:
    return thesis.DECOMPOSITION["test"].accuracy[3]


def is_of_the_test_set(form: Form, rng: Generator) -> Outcome:
    test, train = (float(metrics.accuracy(thesis.DECOMPOSITION[split].counts).mean()) for split in ("test", "train"))
    return Outcome(abs(form() - test), HALF_A_DIGIT, f"{100 * form():.2f} %; from the counts "
                   f"{100 * test:.2f} % on the test set, {100 * train:.2f} % on the training set")


def figures_of_the_footnote() -> np.ndarray:
    return np.array(FOOTNOTE_5)


def figures_of_its_formula() -> np.ndarray:
    return uniform_guesser(LABELS)["accuracy"]


def is_what_guessing_gives(form: Form, rng: Generator) -> Outcome:
    """300 times an answer drawn for each image; the standard error of the means is below 0.0004."""
    simulated = np.mean([metrics.accuracy(metrics.one_vs_all(metrics.confusion_matrix(
        LABELS, rng.integers(0, 3, len(LABELS))))) for _ in range(300)], axis=0)
    return Outcome(float(np.abs(form() - simulated).max()), 0.003, f"{_three(form())}, together {form().sum():.3f}; "
                   f"300 simulated guessers reach {_three(simulated)}, together {simulated.sum():.3f}")


def _three(figures: np.ndarray) -> str:
    return ", ".join(f"{figure:.3f}" for figure in figures)


ERRATA = (
    Erratum(14, "Tables 4.2, 4.3, 4.6, 4.7, row “Specificy”", r"twelve figures, all of them $TN \,/\, (TN + TP)$",
            r"$TN \,/\, (TN + FP)$, (3.44), of the counts that accuracy and recall determine",
            "In every column accuracy = recall · p + specificity · (1 − p) must hold, with p the class's share of the "
            "images, to the rounding of the printed figures, 0.0001.",
            specificy_as_printed, specificity_of_the_counts, explains_the_accuracy),
    Erratum(15, "abstract", "decomposition: 65.66 %", "65.24 %, the mean accuracy on the test set (Table 4.6); the "
            "other is that of the training set (Table 4.7)",
            "The figure stands beside the end-to-end classifier's on the test set, so it must be the mean accuracy "
            "that the test set's counts give, to half a digit.",
            figure_of_the_abstract, figure_of_table_4_6, is_of_the_test_set),
    Erratum(16, "footnote 5 of 4.5", "0.545, 0.507, 0.553 for a predictor that guesses",
            r"$\frac13 p + \frac23 (1 - p)$, the footnote's own formula, of the images of section 4.1",
            "The figures must be the accuracies that simulated guessers reach, to 0.003.",
            figures_of_the_footnote, figures_of_its_formula, is_what_guessing_gives),
)
