"""How weights, biases, activations and gradients of every layer are spread while a network is trained, A.3.3."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.reporting.figures.style import BLUE, GREY, VERMILLION, new_figure, png, whole_steps
from experiments.runs.log import LayersEntry, Spread

ROW = 0.42  # inches of a layer
BANDS = ((0, -1, 0.18), (1, -2, 0.3), (2, -3, 0.55))  # quantiles from the outermost to the middle two, and how opaque
Course = Sequence[Spread | None]  # of an array, in the order of the steps


def layers_figure(entries: Sequence[LayersEntry]) -> bytes:
    """`layers_course` as a PNG file."""
    return png(layers_course(entries))


def layers_course(entries: Sequence[LayersEntry]) -> Figure:
    """The lines of histograms.jsonl, at least one: a row for every layer from the input down, and in it over the steps
    the quantiles of its weights, biases, activations and of its weights' gradient.

    Every strip has a scale of its own, the same above and below its middle, 0; the number at its left is the largest
    absolute value that is drawn. Beside the activations stands which share of them is 0 in the last step.
    """
    steps, layers = [entry.step for entry in entries], list(entries[-1].activations)
    figure = new_figure(11, 1.5 + ROW * len(layers), 120)
    columns = figure.subplots(1, 4, sharey=True)
    for axes, (title, courses) in zip(columns, _columns(entries, layers).items(), strict=True):
        for place, layer in enumerate(layers):
            _strip(axes, place, steps, courses[layer])
        axes.set_title(title, fontsize=10)
        axes.set(xlabel="training step", ylim=(len(layers) - 0.45, -0.55))
        axes.set_yticks(range(len(layers)), layers, fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=8)
        axes.margins(x=0.02)
        axes.spines[["top", "right", "left"]].set_visible(False)
        whole_steps(axes)
    columns[0].set_ylabel("layer, from the input down")
    last = entries[-1].activations
    for place, layer in enumerate(layers):
        text, colour, weight = ("dead: all 0", VERMILLION, "bold") if last[layer].all_zero else (
            f"{100 * last[layer].zeros:.0f} % zeros", GREY, "normal")
        columns[2].text(1.0, place - 0.3, text, fontsize=7, ha="right", va="center", color=colour, fontweight=weight,
                        transform=columns[2].get_yaxis_transform())
    return figure


def _columns(entries: Sequence[LayersEntry], layers: Sequence[str]) -> dict[str, dict[str, Course]]:
    """Title -> layer -> its course. A layer's first parameter is its weights, its second its biases."""
    own = {layer: [path for path in entries[-1].parameters if path.rpartition(".")[0] == layer] for layer in layers}

    def course(kind: str, path: str) -> Course:
        found: list[Mapping[str, Spread]] = [getattr(entry, kind) for entry in entries]
        return [each.get(path) for each in found]

    return {"weights": {layer: course("parameters", own[layer][0]) for layer in layers},
            "biases": {layer: course("parameters", own[layer][1]) for layer in layers},
            "activations": {layer: course("activations", layer) for layer in layers},
            "gradient of the weights": {layer: course("gradients", own[layer][0]) for layer in layers}}


def _strip(axes: Axes, place: int, steps: Sequence[int], course: Course) -> None:
    """Around the height `place`, as large as its row."""
    known = [(step, spread.quantiles) for step, spread in zip(steps, course, strict=True) if spread is not None]
    at, values = np.array([step for step, _ in known]), np.array([quantiles for _, quantiles in known])
    largest = float(np.abs(values).max()) if known else 0.0
    axes.axhline(place, color="#CCCCCC", linewidth=0.6, zorder=0)
    axes.text(0.0, place - 0.3, f"±{largest:.2g}", fontsize=7, color=GREY, va="center",
              transform=axes.get_yaxis_transform())
    if not known:
        return
    drawn = place - 0.42 * values / (largest or 1.0)  # the axis points down
    for low, high, opaque in BANDS:
        axes.fill_between(at, drawn[:, low], drawn[:, high], color=BLUE, alpha=opaque, linewidth=0)
    axes.plot(at, drawn[:, len(BANDS)], color="black", linewidth=0.9, marker="." if len(at) == 1 else None)
