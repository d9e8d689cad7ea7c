"""Figures 4.6 and 4.7: the loss of single batches over the training, and its moving average."""
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.reporting.figures.style import BLUE, GREEN, GREY, PURPLE, VERMILLION, new_figure, png, tidy

WINDOW = 51  # points, as in the thesis
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


def loss_figure(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> bytes:
    """`loss_course` as a PNG file."""
    return png(loss_course(histories))


def loss_course(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """For each named training a sequence of {"step", "loss"}: points, and as a line their moving average.

    A training that begins where another ended (Figure 4.7: the retraining) is a history of its own: no average runs
    across the jump of the loss (footnote 6), and a vertical line marks the step.
    """
    figure = new_figure(8, 4.8 + 0.2 * len(histories))
    axes = figure.subplots()
    for (name, history), (colour, line) in zip(histories.items(), STYLES, strict=False):
        steps = np.array([entry["step"] for entry in history], dtype=np.float64)
        losses = np.array([entry["loss"] for entry in history], dtype=np.float64)
        window = window_for(len(losses))
        axes.plot(steps, losses, ".", color=colour, markersize=6, alpha=0.4, markeredgewidth=0)
        axes.plot(steps, moving_average(losses, window), line, color=colour, linewidth=2,
                  label=f"{name} (moving average over {window} points)")
    for step in continuations(histories.values()):
        axes.axvline(step, color=GREY, linewidth=1.5, linestyle=(0, (1, 1)),
                     label=f"step {step}: another training goes on from here")
    if any(map(len, histories.values())):
        axes.plot([], [], ".", color=GREY, alpha=0.6, label="single batches")
    else:
        axes.text(0.5, 0.5, "no loss was recorded", transform=axes.transAxes, ha="center")
    axes.set(xlabel="training step", ylabel="loss (cross entropy)")
    axes.margins(x=0.02)
    tidy(axes)
    figure.legend(loc="outside upper left", fontsize=9, frameon=False)
    return figure


def continuations(histories: Iterable[Sequence[Mapping[str, float]]]) -> list[float]:
    """The steps behind which a training goes on that another one ended with, in order.

    A training that begins anew logs its first steps; one that goes on begins behind the last step of the other.
    """
    given = [history for history in histories if len(history)]
    ends = [history[-1]["step"] for history in given]
    before = [[end for end in ends if end < history[0]["step"]] for history in given]
    return sorted({max(each) for each in before if each})
