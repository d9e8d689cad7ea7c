"""Figure 4.2 as a table: the layers of a network with the shapes that a real pass through it has."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from engine.layer import Layer, Run
from engine.layers import Conv2D
from experiments.classifiers import network as classifier
from experiments.configuration.classifier import PRESETS, ClassifierConfiguration
from experiments.configuration.detector import PRESETS as DETECTOR_PRESETS
from experiments.configuration.detector import DetectorConfiguration
from experiments.detectors import network as detector
from experiments.reporting.tables import Row, Table


@dataclass(frozen=True)
class Convolution:
    """path in the network; kernel (height, width, input channels, output channels); output (height, width, channels)"""
    path: str
    kernel: tuple[int, ...]
    output: tuple[int, ...]

    @property
    def text(self) -> str:
        """In the pattern of Figure 4.2: conv kernel size, input channels -> output channels."""
        height, width, inputs, outputs = self.kernel
        return f"conv {height}x{width}, {inputs} -> {outputs}"


class _Watched(Layer):
    """The convolution itself, and a note of what came out of it."""

    def __init__(self, inner: Conv2D, path: str, seen: list[Convolution]) -> None:
        super().__init__()
        self._inner, self._path, self._seen = inner, path, seen

    def forward(self, x, run):
        y, saved = self._inner.forward(x, run)
        self._seen.append(Convolution(self._path, self._inner.params["W"].shape, y.shape[1:]))
        return y, saved


def convolutions(network: Layer, side: int) -> list[Convolution]:
    """In the order of the pass, for one image (side, side, 1). The network must not be used afterwards."""
    seen: list[Convolution] = []
    for parent, name, path in list(_places(network, "")):
        child = parent.children[name]
        if isinstance(child, Conv2D):
            parent.children[name] = _Watched(child, path, seen)
    network.forward(np.zeros((1, side, side, 1), np.float32), Run(train=False, record=False))
    return seen


def _places(layer: Layer, before: str) -> Iterator[tuple[Layer, str, str]]:
    for name, child in layer.children.items():
        yield layer, name, f"{before}{name}"
        yield from _places(child, f"{before}{name}.")


@cache
def unet_parameters(configuration: DetectorConfiguration) -> int:
    """The number of numbers that training changes."""
    return sum(array.size for array in detector.build(configuration).parameters().values())


@cache
def vgg_parameters(configuration: ClassifierConfiguration, channels: int) -> int:
    return sum(array.size for array in classifier.build(configuration, channels).parameters().values())


@cache
def unet_table(configuration: DetectorConfiguration, title: str) -> Table:
    """A row for each stack of convolutions; the feature map is what the stack gives, before batch norm and pool."""
    stacks: dict[str, list[Convolution]] = {}
    for each in convolutions(detector.build(configuration), configuration.side):
        stacks.setdefault(_stack(each.path), []).append(each)
    return Table(title, ("First", "Second", "Feature map"), tuple(
        Row(name, (layers[0].text, layers[1].text if len(layers) > 1 else "", " x ".join(map(str, layers[-1].output))))
        for name, layers in stacks.items()))


def parameters_table(detectors: DetectorConfiguration, classifiers: ClassifierConfiguration | None) -> Table:
    """Trainable parameters of the networks of the preset "thesis", and of this run's."""
    rows = [Row("U-net (A.3.2)", (f"{unet_parameters(DETECTOR_PRESETS['thesis']):,}",
                                  f"{unet_parameters(detectors):,}"))]
    rows += [Row(f"VGG (A.3.1), {channels} input channel{'s' * (channels > 1)}", (
        f"{vgg_parameters(PRESETS['thesis'], channels):,}",
        "none" if classifiers is None else f"{vgg_parameters(classifiers, channels):,}")) for channels in (1, 2)]
    return Table("Trainable parameters", ("Topology of the thesis", "This run"), tuple(rows))


def _stack(path: str) -> str:
    """"levels.skip.inner.below.down.0" -> "down, level 2"."""
    kind = path.split(".")[-2] if "." in path else path
    level = path.count("below") + 1
    return {"down": f"down, level {level}", "stack": f"bottom, level {level}", "up": f"up, level {level}"}.get(
        kind, "output")
