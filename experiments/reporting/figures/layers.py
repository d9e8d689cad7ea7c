"""How weights, biases, activations and gradients of every layer are spread while a network is trained, A.3.3."""
from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from experiments.reporting.figures.style import BLUE, GREY, VERMILLION, new_figure, png, whole_steps
from experiments.runs.log import LayersEntry, Spread

WIDTH, ROW, DOTS = 10, 0.46, 200  # inches, inches of a layer, pixels of an inch
LOW, MIDDLE, HIGH = (1, 2), 3, (5, 4)  # places in QUANTILES: 5 and 25 %, the median, 95 and 75 %
OPAQUE = (0.3, 0.5)  # the band of 90 % and, over it, that of 50 %
REACH, BELOW, ABOVE = 0.3, 0.12, 0.33  # parts of a row: half a strip, its 0 below the middle, its texts above
Course = Sequence[Spread | None]  # of an array, in the order of the steps


def layers_figure(entries: Sequence[LayersEntry]) -> bytes:
    """`layers_course` as a PNG file."""
    return png(layers_course(entries))


def layers_course(entries: Sequence[LayersEntry]) -> Figure:
    """The lines of histograms.jsonl, at least one: a row for every layer from the input down, and in it over the steps
    the quantiles of its weights, biases, activations and of its weights' gradient.

    Every strip has a scale of its own, the same above and below 0: the number at its left is the largest absolute value
    that is drawn. At the right stands, of the last step, which share of the activations is 0, and where 90 % of the
    gradient ends; "all 0" where nothing else is left.
    """
    steps, layers = [entry.step for entry in entries], list(entries[-1].activations)
    figure = new_figure(WIDTH, 1.6 + ROW * len(layers), DOTS)
    columns = figure.subplots(1, 4, sharey=True)
    titles = ("weights", "biases", "activations", "weights' gradient")
    for axes, title, courses in zip(columns, titles, zip(*(_courses(entries, layer) for layer in layers), strict=True),
                                    strict=True):
        bands = [_strip(axes, place, steps, course) for place, course in enumerate(courses)]
        for polygons, opaque in zip(zip(*bands, strict=True), OPAQUE, strict=True):
            axes.add_collection(PolyCollection(polygons, facecolors=BLUE, alpha=opaque, linewidths=0))
        axes.set_title(title, fontsize=10)
        axes.set(xlabel="training step", ylim=(len(layers) - 0.5, -0.55))
        axes.set_yticks(np.arange(len(layers)) + BELOW, list(map(short, layers)), fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=8, top=True, labeltop=True)
        if len(steps) == 1:
            axes.set_xlim(steps[0] - 1, steps[0] + 1)
        axes.margins(x=0.02)
        axes.spines[["right", "left"]].set_visible(False)
        whole_steps(axes)
    columns[0].set_ylabel("layer, from the input down")
    for place, layer in enumerate(layers):
        *_, activations, gradient = (course[-1] for course in _courses(entries, layer))
        if activations is not None:
            _say(columns[2], place, f"{100 * activations.zeros:.0f} % zeros", activations)
        if gradient is not None:
            _say(columns[3], place, f"at last ±{_largest(np.array([gradient.quantiles])):.2g}", gradient)
    return figure


def short(path: str) -> str:
    """With what stands in it several times in a row only once: "a.b.b.b.c" -> "a.(b)×3.c"."""
    return re.sub(r"\b((?:\w+\.)+?)\1+", lambda found: f"({found[1][:-1]})×{len(found[0]) // len(found[1])}.", path)


def _courses(entries: Sequence[LayersEntry], layer: str) -> tuple[Course, Course, Course, Course]:
    """In the order of the columns. A layer's first parameter is its weights, its second its biases."""
    weights, biases = (path for path in entries[-1].parameters if path.rpartition(".")[0] == layer)
    return ([entry.parameters.get(weights) for entry in entries], [entry.parameters.get(biases) for entry in entries],
            [entry.activations.get(layer) for entry in entries], [entry.gradients.get(weights) for entry in entries])


def _strip(axes: Axes, place: int, steps: Sequence[int], course: Course) -> list[np.ndarray]:
    """Line and scale in the row `place`, which is 1 high; returned are its bands as polygons, (n, 2) each."""
    known = [(step, spread.quantiles) for step, spread in zip(steps, course, strict=True) if spread is not None]
    axes.axhline(place + BELOW, color="#CCCCCC", linewidth=0.6, zorder=0)
    if not known:
        return [np.zeros((0, 2))] * len(OPAQUE)
    at, values = np.array([step for step, _ in known]), np.array([quantiles for _, quantiles in known])
    if len(known) == 1:  # a bar, where a course has no width
        at, values = at + np.array([-0.3, 0.3]), values.repeat(2, axis=0)
    largest = _largest(values)
    axes.text(0, place - ABOVE, f"±{largest:.2g}", fontsize=7, color=GREY, va="center", in_layout=False,
              transform=axes.get_yaxis_transform())
    heights = place + BELOW - REACH * values / (largest or 1)  # the axis points down
    axes.plot(at, heights[:, MIDDLE], color="black", linewidth=0.9)
    around = np.concatenate([at, at[::-1]])
    return [np.column_stack([around, np.concatenate([heights[:, low], heights[::-1, high]])])
            for low, high in zip(LOW, HIGH, strict=True)]


def _largest(values: np.ndarray) -> float:
    """(n, quantiles): the largest absolute value that is drawn of them."""
    return float(np.abs(values[:, LOW[0]:HIGH[0] + 1]).max())


def _say(axes: Axes, place: int, text: str, last: Spread) -> None:
    """At the right above a strip."""
    dead = last.all_zero
    axes.text(1, place - ABOVE, "all 0" if dead else text, fontsize=7, ha="right", va="center",
              color=VERMILLION if dead else GREY, fontweight="bold" if dead else "normal",
              in_layout=False, transform=axes.get_yaxis_transform())
