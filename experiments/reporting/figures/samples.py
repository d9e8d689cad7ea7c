"""What the network sees and answers: a grid of preprocessed images."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.cm import ScalarMappable

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation.metrics import predicted_classes
from experiments.reporting.figures.overlay import COLOURS, SCALE, add_bar, draw_marks
from experiments.reporting.figures.style import BLUE, VERMILLION, new_figure, png

COLUMNS = 4


@dataclass(frozen=True)
class Samples:
    """A few images as the network sees them: (n, side, side) in [0, 1], labels (n,) int, probabilities (n, C).

    heat_maps  (n, side, side), whole numbers from 0 to 5: the second channel of (4.2), if there is one
    """

    images: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...] = CLASSES
    heat_maps: np.ndarray | None = None


def choose_samples(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Up to `count` indices into (n,) labels drawn at random, equally from the classes as far as possible.

    Drawn, not picked: the grid is to show errors as often as they are made. In the order of the classes.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = [shuffled[labels[shuffled] == c] for c in np.unique(labels)]
    turns = [index for turn in range(max(map(len, by_class), default=0))
             for indices in by_class for index in indices[turn : turn + 1]]
    return np.array(sorted(turns[:count], key=lambda index: labels[index]), dtype=np.int64)


def samples_figure(samples: Samples) -> bytes:
    """Each image with its label and the answer; right answers have a solid blue frame and a tick, wrong ones a dashed
    vermillion frame and a cross. Heat maps, where there are any, lie over the images."""
    count = len(samples.labels)
    columns = min(COLUMNS, max(count, 1))
    rows = max(1, math.ceil(count / columns))
    figure = new_figure(2.4 * columns + (0 if samples.heat_maps is None else 0.9), 2.85 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    heat_maps = [None] * count if samples.heat_maps is None else samples.heat_maps
    for axes, image, heat_map, label, output in zip(panels, samples.images, heat_maps, samples.labels,
                                                    samples.probabilities, strict=False):
        answer = int(predicted_classes(output[None])[0])
        right = answer == label
        axes.set_axis_on()
        axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        if heat_map is not None:
            draw_marks(axes, heat_map)
        mark = "✓" if right else "✗"
        axes.set_title(f"label: {samples.classes[label]}\n{mark} answer: {samples.classes[answer]} "
                       f"({output[answer]:.2f})", fontsize=9)
        for spine in axes.spines.values():
            spine.set(color=BLUE if right else VERMILLION, linewidth=3, linestyle="-" if right else (0, (2, 1.5)))
    if samples.heat_maps is not None:
        add_bar(figure, ScalarMappable(SCALE, COLOURS), ax=panels.tolist(), shrink=0.6, aspect=30)
    return png(figure)
