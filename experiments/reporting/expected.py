"""What a report is expected to take: the time that its figures take to draw."""
from __future__ import annotations

import numpy as np

from experiments.reporting.figures.style import new_figure, png, show_image
from experiments.system.durations import seconds_of

LAYERS = 25  # the picture of the layers takes as long as so many panels
OF_CLASSIFICATION = 2 + 1 + 12 + LAYERS  # panels: ROC curves, the loss, samples
OF_DETECTORS = 50 + 10 + 60 + 2 * LAYERS  # panels: courses, borders, evolution


def of_classification_report() -> dict[str, float]:
    return {"report": OF_CLASSIFICATION * seconds_per_panel()}


def of_detectors_report() -> dict[str, float]:
    return {"report": OF_DETECTORS * seconds_per_panel()}


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
