"""The figures of a run, each a function that returns the bytes of a PNG file."""
from experiments.reporting.figures.loss import loss_figure
from experiments.reporting.figures.roc import roc_figure
from experiments.reporting.figures.samples import choose_samples, samples_figure

__all__ = ["choose_samples", "loss_figure", "roc_figure", "samples_figure"]
