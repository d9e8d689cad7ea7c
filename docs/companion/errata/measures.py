"""Errata 9, 10 and 12: the false negatives' name, the Jaccard index, the fallout."""
from __future__ import annotations

from itertools import product

import numpy as np
from numpy.random import Generator
from sklearn.metrics import roc_curve

from companion.errata.erratum import Erratum, Form, Outcome
from experiments.evaluation.metrics import Counts, ratio, recall
from experiments.evaluation.segmentation import pixel_counts


def called_tn(counts: Counts) -> np.ndarray:
    return counts.tn


def called_fn(counts: Counts) -> np.ndarray:
    return counts.fn


def completes_the_positives(form: Form, rng: Generator) -> Outcome:
    """1000 labels, 300 of them positive, and answers that are wrong in every fifth case."""
    labels, predicted = _answers(rng)
    counts = pixel_counts(predicted, labels)
    found, positives = int(counts.tp), int(labels.sum())
    missed = int(form(counts))
    return Outcome(abs(found + missed - positives) / positives, 0.0, f"{found} positives found and {missed} missed, of "
                   f"{positives}: a sensitivity of {found / (found + missed):.3f} by (3.45), where "
                   f"{float(recall(counts)):.3f} of the positives are found")


def with_cardinalities(A: frozenset, B: frozenset) -> float:
    return 2 * len(A & B) / (len(A) ** 2 + len(B) ** 2)


def with_squared_norms(A: frozenset, B: frozenset) -> float:
    return 2 * len(A & B) / (len(A) + len(B))  # of indicator vectors: |A|^2 is the sum of their squares, 0 and 1


def intersection_over_union(A: frozenset, B: frozenset) -> float:
    return len(A & B) / len(A | B)


def is_one_for_equal_sets(form: Form, rng: Generator) -> Outcome:
    """Sets of 1 to 50 numbers."""
    values = {size: form(A, A) for size in (1, 2, 10, 50) for A in [frozenset(rng.permutation(100)[:size].tolist())]}
    return Outcome(max(abs(value - 1) for value in values.values()), 0.0, "the index of a set with itself is "
                   + ", ".join(f"{value:g} for {size} element{'s' if size > 1 else ''}"
                               for size, value in values.items()))


def is_a_metric(form: Form, rng: Generator) -> Outcome:
    """All triples of the 15 sets that hold some of four elements."""
    sets = [frozenset(k for k in range(4) if chosen >> k & 1) for chosen in range(1, 16)]
    distance = {(A, B): 1 - form(A, B) for A, B in product(sets, sets)}
    longer = {(A, B, C): distance[A, B] - distance[A, C] - distance[C, B] for A, B, C in product(sets, sets, sets)}
    A, B, C = max(longer, key=longer.__getitem__)
    broken = sum(value > 1e-12 for value in longer.values())
    return Outcome(longer[A, B, C], 1e-12, f"{broken} of {len(longer)} triples break it" + (
        f"; {_shown(A)} and {_shown(B)} are {distance[A, B]:.3f} apart, by way of {_shown(C)} "
        f"{distance[A, C] + distance[C, B]:.3f}" if broken else ""))


def _shown(numbers: frozenset) -> str:
    return "{" + ", ".join(map(str, sorted(numbers))) + "}"


def false_among_positive_answers(counts: Counts) -> np.ndarray:
    return ratio(counts.fp, counts.fp + counts.tp)


def false_among_negatives(counts: Counts) -> np.ndarray:
    return ratio(counts.fp, counts.fp + counts.tn)


def is_the_abscissa_of_the_roc(form: Form, rng: Generator) -> Outcome:
    """Against scikit-learn's `roc_curve` of the same 1000 answers."""
    labels, predicted = _answers(rng)
    wanted = float(roc_curve(labels, predicted.astype(float))[0][1])  # its middle point: the answers as they are
    found = float(form(pixel_counts(predicted, labels)))
    return Outcome(abs(found - wanted), 1e-12, f"the formula gives {found:.4f}, scikit-learn {wanted:.4f}")


def _answers(rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels and answers, bool (1000,)."""
    labels = rng.permutation(np.arange(1000) < 300)
    return labels, labels ^ (rng.random(1000) < 0.2)


ERRATA = (
    Erratum(9, "3.1.7", "“the false negative (TN) error”", "the false negative (FN) error",
            "The positives that were found, TP, and those that the error of the second type counts must be all "
            "positives, so that (3.45) is their share.", called_tn, called_fn, completes_the_positives),
    Erratum(10, "footnote 5 of 3.1.7", r"$J = 2|A \cdot B| \,/\, (|A|^2 + |B|^2)$, read with $|A|$ for the number of "
            "elements", r"$J = |A \cap B| \,/\, |A \cup B|$", "The index of a set with itself must be 1.",
            with_cardinalities, intersection_over_union, is_one_for_equal_sets, part="a"),
    Erratum(10, "footnote 5 of 3.1.7", r"the same, read with $|A|^2$ for the squared norm of the indicator vector: "
            "that is the Dice coefficient", r"$J = |A \cap B| \,/\, |A \cup B|$",
            "$1 - J$ must fulfil the triangle inequality, which the footnote itself says of Jaccard and denies of "
            "Dice.", with_squared_norms, intersection_over_union, is_a_metric, part="b"),
    Erratum(12, "(3.47)", r"false positive rate $= FP \,/\, (FP + TP)$, which is the false discovery rate",
            r"$FP \,/\, (FP + TN)$", "The false positive rate must be that of the ROC curve, as scikit-learn computes "
            "it.", false_among_positive_answers, false_among_negatives, is_the_abscissa_of_the_roc),
)
