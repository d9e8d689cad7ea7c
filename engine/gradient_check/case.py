"""What is checked: a layer, loss or network at a point where a wrong gradient cannot hide."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.gradient_check.difference import STEPS
from engine.gradient_check.probe import Probe
from engine.gradient_check.protocol import unit
from engine.layer import Layer, Run


@dataclass(frozen=True)
class Case:
    """One thing to check.

    kind    what it is, "Conv2D": the first part of its name
    detail  how it is set up, "5x5, stride 2"
    layer   in float64, with parameters away from special values: see `scatter`
    x       the point, float64, away from kinks and ties: see `distinct`
    run     training or inference, and the seed
    whole   a network: too large for the check of single entries
    """
    kind: str
    detail: str
    layer: Layer
    x: np.ndarray
    run: Run = field(default_factory=Run)
    whole: bool = False

    @property
    def name(self) -> str:
        """Kind and detail, "Conv2D: 5x5, stride 2": the random numbers of a case follow from it."""
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


def layer_case(kind: str, detail: str, layer: Layer, *shape: int, run: Run | None = None, whole: bool = False) -> Case:
    """The case of a layer (which is scattered) on distinct numbers in (-1, 1) that follow from the name alone."""
    rng, run = generator(f"{kind}: {detail}"), run or Run()
    scatter(layer, rng)
    return Case(kind, detail, layer, smooth_point(layer, run, rng, *shape), run, whole)


def generator(name: str) -> np.random.Generator:
    """Random numbers of its own for each name, so that one case can be repeated without the others."""
    return np.random.default_rng(list(name.encode()))


def distinct(rng: np.random.Generator, *shape: int, low: float = -1, high: float = 1) -> np.ndarray:
    """A shuffled grid over (low, high): no two numbers are equal and, for low = -high, none is 0: no ties, no kinks."""
    size = int(np.prod(shape))
    return low + (high - low) * (rng.permutation(size).reshape(shape) + 0.3) / size


def smooth_point(layer: Layer, run: Run, rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Distinct numbers at which moving everything by the step of the checks crosses no kink.

    Of the ten thousand pre-activations of a network one is often nearer to 0 than that. After ten draws that all had a
    kink nearby the last one is taken, and the checks report the kink.
    """
    for _ in range(10):
        x = distinct(rng, *shape)
        arrays = [x, *layer.parameters().values()]
        directions = [unit(rng, array.shape) for array in arrays]
        if not Probe(layer, x, run).difference(arrays, directions, STEPS[0]).crossings:
            break
    return x


def scatter(layer: Layer, rng: np.random.Generator) -> None:
    """Add up to 0.3 to every parameter and buffer: a scale that is 1 or a bias that is 0 would hide mistakes."""
    for array in (*layer.parameters().values(), *layer.moving_averages().values()):
        array += rng.uniform(-0.3, 0.3, array.shape)
