"""How long the figures of a report will take to draw."""
from __future__ import annotations

import numpy as np

from experiments.reporting.figures.style import new_figure, png, show_image
from experiments.system.durations import seconds_of


def seconds_per_panel() -> float:
    """Of a report's figures, by one of two panels."""
    noise = np.random.default_rng(0).random((64, 64), np.float32)

    def draw() -> None:
        figure = new_figure(6, 3)
        for axes in figure.subplots(1, 2):
            show_image(axes, noise)
            axes.set_title("panel")
        png(figure)

    return min(seconds_of(draw) for _ in range(2)) / 2
