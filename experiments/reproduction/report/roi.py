"""The overlap accuracy of the ten detectors beside what A.1 reports of the thesis's placeholder data."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.detectors.network import detector_name
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.roi_tables import LOSS_NAMES, RESPECTABLE
from experiments.reporting.tables import Row, Table, number
from experiments.reproduction.report.material import FinishedDetectors
from experiments.runs.folder import RunFolder

CLAIM_STEPS = 2000  # A.1: "overlap accuracy of 1 after 2000 training steps"


@dataclass(frozen=True, slots=True)
class BestOverlap:
    """Of a detector on its own test images; all None where there are none.

    at_end, precision    when it was finished: the overlap accuracy, and the precision
    best, step           the highest overlap accuracy that an evaluation found at a precision of one half or more, and
                         when first; None for never
    """
    at_end: float | None
    precision: float | None
    best: float | None
    step: int | None


def best_overlap(run: FinishedDetectors) -> dict[str, BestOverlap]:
    """By detector."""
    found = {}
    for name, results in run.results.detectors.items():
        tests = [(entry.step, entry.evaluation["test"]) for entry in RunFolder(run.path / name).history()
                 if entry.evaluation is not None]
        good = [(test["overlap_accuracy"], -step) for step, test in tests
                if test["overlap_accuracy"] is not None and (test["precision"] or 0) >= RESPECTABLE]
        best, step = max(good, default=(None, None))
        end = results.group["test"]
        found[name] = BestOverlap(end["overlap_accuracy"], end["precision"], best, None if step is None else -step)
    return found


def overlap_table(best: Mapping[str, BestOverlap]) -> Table:
    """A column for each size group."""
    rows = []
    for loss, name in LOSS_NAMES.items():
        of = [best[detector_name(group, loss)] for group in GROUPS]
        rows += [
            Row(f"{name}: overlap accuracy at the end", tuple(number(each.at_end, 3) for each in of)),
            Row("precision at the end", tuple(number(each.precision, 3) for each in of), comparison=True),
            Row(f"highest at precision {RESPECTABLE:g} or more", tuple(
                "never" if each.best is None else f"{number(each.best, 3)}, step {each.step}" for each in of),
                comparison=True)]
    rows.append(Row("thesis, A.1 (which groups and loss: not said)", (f"1, step {CLAIM_STEPS}",) * len(GROUPS),
                    comparison=True))
    return Table("Overlap accuracy (4.1) on the test images of each detector's size group", GROUPS, tuple(rows))


def overlap_sentences(best: Mapping[str, BestOverlap], steps: int) -> list[str]:
    """Which groups reach A.1's 1, and when."""
    sentences = []
    for loss, name in LOSS_NAMES.items():
        of = {group: best[detector_name(group, loss)] for group in GROUPS}
        whole = [f"{group} (step {each.step})" for group, each in of.items() if each.best == 1]
        less = [f"{group} {number(each.best, 3)}" for group, each in of.items() if each.best not in (1, None)]
        never = [group for group, each in of.items() if each.best is None and each.at_end is not None]
        empty = [group for group, each in of.items() if each.at_end is None]
        sentences.append("; ".join([
            f"{name}: an evaluation with overlap accuracy 1 at a precision of {RESPECTABLE:g} or more is reached by "
            f"{', '.join(whole) or 'no size group'}",
            *([f"the highest at that precision is {', '.join(less)}"] if less else []),
            *([f"{', '.join(never)} never had that precision"] if never else []),
            *([f"{', '.join(empty)} has no test image"] if empty else [])]) + ".")
    if steps != CLAIM_STEPS:
        sentences.append(f"A.1 speaks of {CLAIM_STEPS} training steps; these detectors were trained for {steps}.")
    return sentences
