"""The figures of a run, each a function that returns the bytes of a PNG file."""
from experiments.reporting.figures.borders import Detection, borders_figure
from experiments.reporting.figures.evolution import evolution_figure
from experiments.reporting.figures.froc import froc_figure
from experiments.reporting.figures.layers import layers_figure
from experiments.reporting.figures.loss import loss_figure
from experiments.reporting.figures.overlay import overlay_figure
from experiments.reporting.figures.placeholder import placeholder_figure
from experiments.reporting.figures.roc import roc_figure
from experiments.reporting.figures.roi_grid import roi_grid_figure
from experiments.reporting.figures.saliency import saliency_figure
from experiments.reporting.figures.samples import Samples, choose_samples, samples_figure

__all__ = ["Detection", "Samples", "borders_figure", "choose_samples", "evolution_figure", "froc_figure",
           "layers_figure", "loss_figure", "overlay_figure", "placeholder_figure", "roc_figure", "roi_grid_figure",
           "saliency_figure", "samples_figure"]
