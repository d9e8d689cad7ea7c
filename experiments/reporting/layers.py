"""What the layers of a network did while it was trained: the picture of A.3.3's histograms, and which of them died."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.reporting.figures import layers_figure
from experiments.reporting.html import Picture
from experiments.runs.log import LayersEntry

TITLE = "Weights, biases, activations and gradients of every layer"


def layers_picture(title: str, entries: Sequence[LayersEntry]) -> Picture:
    """entries: the lines of histograms.jsonl, at least one."""
    return Picture(
        title, layers_figure(entries),
        "A row for each layer that has parameters, from the input down ((a.b)×2 is short for a.b.a.b): how its "
        "weights, its biases (of batch norm: c1 and c2), its outputs and the gradient of its weights are spread in "
        "single training steps, each seen by a sample of its numbers. The line is the median; the bands hold 50 % "
        "and 90 % of the numbers. Each strip has a scale of its own around 0, the grey line; its end is the number "
        "at the left. At the right stands, of the last of these steps, which share of the outputs is 0 and where 90 "
        "% of the gradient ends. A layer is dead if all its outputs are 0: its gradient is then 0, too, and it "
        "cannot learn any more. "
        f"{deaths({'': entries})}",
        "Strips of quantiles over training steps, four for every layer", wide=True)


def deaths(trainings: Mapping[str, Sequence[LayersEntry]]) -> str:
    """A sentence: which layers are dead in the last step that was looked into. trainings: lines of histograms.jsonl, by
    the name of the training; "" for the only one."""
    dead = [f"{layer} of {name}" if name else layer for name, entries in trainings.items() if entries
            for layer, outputs in entries[-1].activations.items() if outputs.all_zero]
    return f"Dead when last looked at: {', '.join(dead)}." if dead else "No layer was dead when last looked at."
