"""Figures 4.6 and 4.7 in numbers: how the loss of the trainings runs, and what the thesis says of its own."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from experiments.reporting.tables import Row, Table, number
from experiments.reproduction.report.material import Classifiers
from experiments.reproduction.statistics import NAMES

END2END, DECOMPOSITION = NAMES
RETRAINED = "retrained with zeros"
JUMP = 2  # times the mean loss before, and above every batch of its last tenth, one may speak of a jump
ALIKE = 0.1  # relative difference below which two losses of single batches are not told apart here


@dataclass(frozen=True, slots=True)
class LossCourse:
    """The loss of the first logged batch, the means over tenths of the training, the highest one in its last tenth."""
    first: float
    second_tenth: float
    middle_tenth: float
    last_tenth: float
    highest_of_the_last: float


def part(losses: Sequence[float], start: float, stop: float) -> Sequence[float]:
    """The logged batches from the share `start` to the share `stop` of the training, at least one."""
    first = min(int(start * len(losses)), len(losses) - 1)
    last = max(round(stop * len(losses)), first + 1)
    return losses[first:last]


def loss_courses(runs: Classifiers) -> dict[str, LossCourse]:
    """By name, of the first training seed's runs and of the retraining."""
    return {name: _course(losses) for name, losses in (
        (END2END, runs.end2end[0].losses), (DECOMPOSITION, runs.decomposition[0].losses),
        (RETRAINED, runs.retraining.losses))}


def _course(losses: Sequence[float]) -> LossCourse:
    return LossCourse(losses[0], float(np.mean(part(losses, 0.1, 0.2))), float(np.mean(part(losses, 0.45, 0.55))),
                      float(np.mean(part(losses, 0.9, 1))), max(part(losses, 0.9, 1)))


def loss_table(courses: Mapping[str, LossCourse], names: Sequence[str]) -> Table:
    columns = [each.name for each in fields(LossCourse)]
    return Table("Loss: first logged batch, and means over the logged batches of a tenth of the training",
                 tuple(name.replace("_", " ").capitalize() for name in columns),
                 tuple(Row(name, tuple(number(getattr(courses[name], column)) for column in columns))
                       for name in names))


def course_sentences(courses: Mapping[str, LossCourse]) -> list[str]:
    """Figure 4.6 in words."""
    ours, theirs = courses[DECOMPOSITION], courses[END2END]
    early = _compared(ours.second_tenth, theirs.second_tenth)
    late = _compared(ours.last_tenth, theirs.last_tenth)
    found = (f"Here the decomposition's mean loss is {early} that of end-to-end in the second tenth of the training "
             f"({number(ours.second_tenth)} and {number(theirs.second_tenth)}), and {late} it in the last tenth "
             f"({number(ours.last_tenth)} and {number(theirs.last_tenth)}). “About the same as” is said of "
             f"differences up to {100 * ALIKE:g} %.")
    why = {"above": "That is the thesis's order at the end, in one training of each and with batches that scatter.",
           "below": "At the end that is the opposite of the thesis's order. Its explanation of the decomposition's "
                    "failure is the weakness of its ROI detectors; detectors that find more would have the effect seen "
                    "here, but one training of each proves no cause.",
           "about the same as": "The thesis's gap at the end is not seen here."}[late]
    return [found, why]


def retraining_sentences(courses: Mapping[str, LossCourse]) -> list[str]:
    """Figure 4.7 in words."""
    before, after, end2end = courses[DECOMPOSITION], courses[RETRAINED], courses[END2END]
    jump = (f"from {number(before.last_tenth)} (mean of the last tenth) to {number(after.first)} in the first batch "
            "with an empty second channel")
    sentences = [
        f"The jump of Figure 4.7 is there: the loss goes {jump}. The network relies on its second channel."
        if after.first > max(JUMP * before.last_tenth, before.highest_of_the_last) else
        f"The jump of Figure 4.7 is not there, or small: the loss goes {jump}. This network relies little on its "
        "second channel."]
    sentences.append(
        f"The retraining ends with {number(after.last_tenth)}, {_compared(after.last_tenth, end2end.last_tenth)} the "
        f"{number(end2end.last_tenth)} of end-to-end. In the thesis the two are indistinguishable.")
    return sentences


def _compared(one: float, other: float) -> str:
    if abs(one - other) <= ALIKE * max(one, other):
        return "about the same as"
    return "above" if one > other else "below"
