"""Figures 4.6 and 4.7 in numbers: how the loss of the trainings runs, and what the thesis says of its own."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.reporting.tables import Row, Table, number
from experiments.reproduction.report.material import Material

Losses = Sequence[Mapping[str, float]]
JUMP = 2  # times the mean loss before, and above every batch of its last tenth, one may speak of a jump
ALIKE = 0.1  # relative difference below which two losses of single batches are not told apart here


def part(losses: Losses, start: float, stop: float) -> list[float]:
    """The logged batches from the share `start` to the share `stop` of the training, at least one."""
    first = min(int(start * len(losses)), len(losses) - 1)
    last = max(round(stop * len(losses)), first + 1)
    return [entry["loss"] for entry in losses[first:last]]


def loss_summary(material: Material) -> dict[str, dict[str, float]]:
    """Of each training: the loss of the first logged batch, and the means over tenths of the training."""
    runs = {"end-to-end": material.end2end[0], "decomposition": material.decomposition[0]}
    if material.retraining is not None:
        runs["retrained with zeros"] = material.retraining
    return {name: {"first": run.losses[0]["loss"], "second tenth": float(np.mean(part(run.losses, 0.1, 0.2))),
                   "middle tenth": float(np.mean(part(run.losses, 0.45, 0.55))),
                   "last tenth": float(np.mean(part(run.losses, 0.9, 1))),
                   "highest of the last": max(part(run.losses, 0.9, 1))}
            for name, run in runs.items()}


def loss_table(summary: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> Table:
    columns = tuple(name.capitalize() for name in summary[names[0]])
    return Table("Loss: first logged batch, and means over the logged batches of a tenth of the training", columns,
                 tuple(Row(name, tuple(map(number, summary[name].values()))) for name in names))


def course_sentences(summary: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Figure 4.6 in words."""
    ours, theirs = summary["decomposition"], summary["end-to-end"]
    early = _compared(ours["second tenth"], theirs["second tenth"])
    late = _compared(ours["last tenth"], theirs["last tenth"])
    found = (f"Here the decomposition's mean loss is {early} that of end-to-end in the second tenth of the training "
             f"({number(ours['second tenth'])} and {number(theirs['second tenth'])}), and {late} it in the last tenth "
             f"({number(ours['last tenth'])} and {number(theirs['last tenth'])}). “About the same as” is said of "
             f"differences up to {100 * ALIKE:g} %.")
    why = {"above": "That is the thesis's order at the end, in one training of each and with batches that scatter.",
           "below": "At the end that is the opposite of the thesis's order. Its explanation of the decomposition's "
                    "failure is the weakness of its ROI detectors; detectors that find more would have the effect seen "
                    "here, but one training of each proves no cause.",
           "about the same as": "The thesis's gap at the end is not seen here."}[late]
    return [found, why]


def retraining_sentences(summary: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Figure 4.7 in words."""
    before, after = summary["decomposition"]["last tenth"], summary["retrained with zeros"]
    jump = (f"from {number(before)} (mean of the last tenth) to {number(after['first'])} in the first batch with an "
            f"empty second channel")
    sentences = [
        f"The jump of Figure 4.7 is there: the loss goes {jump}. The network relies on its second channel."
        if after["first"] > max(JUMP * before, summary["decomposition"]["highest of the last"]) else
        f"The jump of Figure 4.7 is not there, or small: the loss goes {jump}. This network relies little on its "
        "second channel."]
    end = _compared(after["last tenth"], summary["end-to-end"]["last tenth"])
    sentences.append(
        f"The retraining ends with {number(after['last tenth'])}, {end} the "
        f"{number(summary['end-to-end']['last tenth'])} of end-to-end. In the thesis the two are indistinguishable.")
    return sentences


def _compared(one: float, other: float) -> str:
    if abs(one - other) <= ALIKE * max(one, other):
        return "about the same as"
    return "above" if one > other else "below"
