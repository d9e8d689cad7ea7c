"""Figure 4.2 as a table: the layers of a network with the shapes that a real pass through it has."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import numpy as np

from engine.layer import Layer, Run, parameter_count
from engine.layers import Conv2D
from engine.observing import observe
from experiments.classifiers import network as classifier
from experiments.configuration.classifier import PRESETS, ClassifierConfiguration
from experiments.configuration.decomposition import PRESETS as DECOMPOSITION_PRESETS
from experiments.configuration.detector import PRESETS as DETECTOR_PRESETS
from experiments.configuration.detector import DetectorConfiguration
from experiments.detectors import network as detector
from experiments.reporting.tables import Row, Table


@dataclass(frozen=True)
class Convolution:
    """kernel (height, width, input channels, output channels); output (height, width, channels)"""
    kernel: tuple[int, ...]
    output: tuple[int, ...]

    @property
    def text(self) -> str:
        """In the pattern of Figure 4.2: conv kernel size, input channels -> output channels."""
        height, width, inputs, outputs = self.kernel
        return f"conv {height}x{width}, {inputs} -> {outputs}"


def convolutions(network: Layer, side: int) -> list[Convolution]:
    """In the order of the pass, for one image (side, side, 1)."""
    seen: list[Convolution] = []

    def see(path: str, layer: Layer, x: np.ndarray, y: np.ndarray) -> None:
        if isinstance(layer, Conv2D):
            seen.append(Convolution(layer.params["W"].shape, y.shape[1:]))

    observe(network, see).forward(np.zeros((1, side, side, 1), np.float32), Run(train=False, record=False))
    return seen


@cache
def unet_parameters(configuration: DetectorConfiguration) -> int:
    """The number of numbers that training changes."""
    return parameter_count(detector.build(configuration))


@cache
def vgg_parameters(configuration: ClassifierConfiguration) -> int:
    return parameter_count(classifier.build(configuration))


@cache
def unet_table(configuration: DetectorConfiguration, title: str) -> Table:
    """A row for each stack of convolutions; the feature map is what the stack gives, before batch norm and pool."""
    named = _stacks(convolutions(detector.build(configuration), configuration.side))
    return Table(title, ("First", "Second", "Feature map"), tuple(
        Row(name, (stack[0].text, stack[1].text if len(stack) > 1 else "", " x ".join(map(str, stack[-1].output))))
        for name, stack in named))


def parameters_table(detectors: DetectorConfiguration, classifiers: Sequence[ClassifierConfiguration]) -> Table:
    """Trainable parameters of the networks of the preset "thesis", and of this run's.

    classifiers: the end-to-end one's and the decomposition's; none where the run has none.
    """
    rows = [Row("U-net (A.3.2)", (f"{unet_parameters(DETECTOR_PRESETS['thesis']):,}",
                                  f"{unet_parameters(detectors):,}"))]
    ours = [f"{vgg_parameters(each):,}" for each in classifiers] or ["none", "none"]
    rows += [Row(f"VGG (A.3.1), {of.channels} input channel{'s' * (of.channels > 1)}", (
        f"{vgg_parameters(of):,}", this)) for of, this in zip(
            (PRESETS["thesis"], DECOMPOSITION_PRESETS["thesis"]), ours, strict=True)]
    return Table("Trainable parameters", ("Topology of the thesis", "This run"), tuple(rows))


def _stacks(layers: Sequence[Convolution]) -> list[tuple[str, list[Convolution]]]:
    """Convolutions that follow each other on maps of one size, with the place of their stack in the U: whatever the
    layers are called, the sides halve on the way down and double on the way up, and the last convolution is alone."""
    *stacks, output = [list(of) for _, of in groupby(layers, lambda each: (each.output[0], each.kernel[:2]))]
    sides = [stack[0].output[0] for stack in stacks]
    bottom = sides.index(min(sides))
    ways = ["down"] * bottom + ["bottom"] + ["up"] * (len(stacks) - bottom - 1)
    levels = [1 + sorted(set(sides), reverse=True).index(side) for side in sides]
    return [*((f"{way}, level {level}", stack) for way, level, stack in zip(ways, levels, stacks, strict=True)),
            ("output", output)]
