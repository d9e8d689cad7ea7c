"""Figures 4.6 and 4.7: the loss of single batches over the training, its moving average, and the accuracy meanwhile."""
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.reporting.figures.style import (
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    VERMILLION,
    new_figure,
    png,
    tidy,
    whole_steps,
)
from experiments.runs.log import Entry

WINDOW = 51  # points, as in the thesis
WIDTH, DOTS = 5.2, 240  # inches, and pixels of an inch: small enough for a telephone, with enough pixels for a desk
STYLES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (PURPLE, ":"))


def window_for(points: int) -> int:
    """51, or in a short training about a quarter of the points, lest the average hide the course; an odd number."""
    return min(WINDOW, points // 4 | 1)


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """(n,) -> (n,): the mean of the `window` values (an odd number) around each place, of those that there are.

    The first and the last places have neighbours on one side only: there the mean is over as few as half of the
    window, and on a slope it lags towards the middle. Nothing is padded. Keeping the window centred by shrinking it on
    both sides would end in single values, and a last point that happens to be high would look like a rising loss.
    """
    values, reach = np.asarray(values, dtype=np.float64), window // 2
    return np.array([values[max(i - reach, 0) : i + reach + 1].mean() for i in range(len(values))])


def loss_figure(histories: Mapping[str, Sequence[Entry]]) -> bytes:
    """`loss_course` as a PNG file."""
    return png(loss_course(histories))


def loss_course(histories: Mapping[str, Sequence[Entry]]) -> Figure:
    """For each named training the lines of its metrics.jsonl.

    Those with a loss are points, and as a line their moving average; those with an evaluation, the accuracy on the
    test set while training goes on, stand below in a panel of their own. A training that begins where another ended
    (Figure 4.7: the retraining) is a history of its own: no average runs across the jump of the loss (footnote 6), and
    a vertical line marks the step.
    """
    losses = {name: [(entry.step, entry.loss) for entry in history if entry.loss is not None]
              for name, history in histories.items()}
    accuracies = {name: [(entry.step, entry.evaluation["test"]["accuracy"]) for entry in history
                         if entry.evaluation is not None] for name, history in histories.items()}
    evaluated = any(accuracies.values())
    figure = new_figure(WIDTH, 4 + 0.2 * len(histories) + 1.6 * evaluated, DOTS)
    axes, *below = figure.subplots(1 + evaluated, 1, sharex=True, squeeze=False, height_ratios=(3, 1.6)[:1 + evaluated]
                                   ).ravel()
    for (name, course), (colour, line) in zip(losses.items(), STYLES, strict=False):
        steps, values = _columns(course)
        window = window_for(len(values))
        axes.plot(steps, values, ".", color=colour, markersize=5, alpha=0.4, markeredgewidth=0)
        axes.plot(steps, moving_average(values, window), line, color=colour, linewidth=2,
                  label=f"{name} (moving average over {window} points)")
        for lower in below:
            lower.plot(*_columns(accuracies[name]), line, color=colour, linewidth=1.5, marker="o", markersize=3)
            lower.set(ylabel="accuracy on\nthe test set", ylim=(0, 1.02))
    for step in continuations([[step for step, _ in course] for course in losses.values()]):
        axes.axvline(step, color=GREY, linewidth=1.5, linestyle=(0, (1, 1)),
                     label=f"step {step}: another training goes on from here")
        for lower in below:
            lower.axvline(step, color=GREY, linewidth=1.5, linestyle=(0, (1, 1)))
    if any(map(len, losses.values())):
        axes.plot([], [], ".", color=GREY, alpha=0.6, label="single batches")
    else:
        axes.text(0.5, 0.5, "no loss was recorded", transform=axes.transAxes, ha="center")
    axes.set(ylabel="loss (cross entropy)")
    for each in (axes, *below):
        each.margins(x=0.02)
        tidy(each)
    last = (axes, *below)[-1]
    last.set_xlabel("training step")
    whole_steps(last)
    figure.align_ylabels()
    figure.legend(loc="outside upper left", fontsize=9, frameon=False)
    return figure


def _columns(course: Sequence[tuple[int, float | None]]) -> tuple[np.ndarray, np.ndarray]:
    """The steps and the values, both (n,) float64; NaN for what is undefined."""
    pairs = np.array(course, dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def continuations(steps: Iterable[Sequence[int]]) -> list[int]:
    """The steps behind which a training goes on that another one ended with, in order. steps: those that each logged.

    A training that begins anew logs its first steps; one that goes on begins behind the last step of the other.
    """
    given = [logged for logged in steps if logged]
    ends = [logged[-1] for logged in given]
    before = [[end for end in ends if end < logged[0]] for logged in given]
    return sorted({max(each) for each in before if each})
