"""How the numbers of every layer are spread while a network is trained, A.3.3: weights, biases, gradients, activations.

Seen are the passes of the training itself: the step's batch, batch norm by its moments, dropout on. Of every array a
sample is taken, whole rows of channels at places that are drawn once and for all, so that a step which is looked into
takes little longer, however large the network is.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from array_api_compat import array_namespace, device

from engine.arrays import Array
from engine.checkpoint import to_numpy
from engine.layer import Grads, Layer
from experiments.runs.log import QUANTILES, LayersEntry, Spread

SAMPLE = 1 << 13  # numbers of an array, about
EVERY, EARLY = 100, (1, 2, 5, 10, 20, 50)  # steps; early on a network changes faster
DIGITS = 4  # of a number in the file

Samples = dict[str, np.ndarray]  # by path: (n,), sorted, finite


@dataclass(frozen=True, slots=True)
class LayerSamples:
    """Of one step: parameters and gradients by their paths, activations (outputs) by those of their layers."""
    parameters: Samples
    gradients: Samples
    activations: Samples

    def entry(self, step: int) -> LayersEntry:
        return LayersEntry(step, _spreads(self.parameters), _spreads(self.gradients), _spreads(self.activations))


class LayerHistograms:
    """An engine.observing.Observer of the training of a network, whose first step has the number `first` + 1.

    taken: of the last step, if it was looked into.
    """

    def __init__(self, network: Layer, first: int = 0) -> None:
        self._network, self._first = network, first
        self._outputs: dict[str, list[np.ndarray]] = {}
        self.taken: LayerSamples | None = None

    def due(self, number: int) -> bool:
        self.taken, self._outputs = None, {}
        made = number - self._first
        return made % EVERY == 0 or made in EARLY

    def layer(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """Of a layer with parameters; one that sees some images of the batch at a time is called for each part."""
        if layer.params:
            self._outputs.setdefault(path, []).append(sample(y))

    def gradients(self, grads: Grads) -> None:
        parameters = self._network.parameters()
        self.taken = LayerSamples(
            _sorted({path: [sample(array)] for path, array in parameters.items()}),
            _sorted({path: [sample(grads[path])] for path in parameters}), _sorted(self._outputs))


def sample(array: Array) -> np.ndarray:
    """About SAMPLE numbers of an array (..., C), or all of one that has no more: (n, C) in main memory."""
    xp = array_namespace(array)
    channels = array.shape[-1]
    rows = xp.reshape(array, (-1, channels))
    wanted = max(1, SAMPLE // channels)
    if wanted < rows.shape[0]:
        rows = xp.take(rows, xp.asarray(_places(rows.shape[0], wanted), device=device(array)), axis=0)
    return np.array(to_numpy(rows))


@cache
def _places(rows: int, wanted: int) -> np.ndarray:
    """The numbers of the rows that are looked at: drawn, since at regular distances they could all be of one column."""
    return np.sort(np.random.default_rng(0).integers(rows, size=wanted))


def _sorted(parts: Mapping[str, list[np.ndarray]]) -> Samples:
    """What is finite of them; an array without a finite number is left out."""
    found = {path: np.concatenate([part.reshape(-1) for part in each]) for path, each in parts.items()}
    finite = {path: np.sort(values[np.isfinite(values)]) for path, values in found.items()}
    return {path: values for path, values in finite.items() if len(values)}


def _spreads(samples: Samples) -> dict[str, Spread]:
    return {path: _spread(values) for path, values in samples.items()}


def _spread(values: np.ndarray) -> Spread:
    zeros = np.searchsorted(values, 0, side="right") - np.searchsorted(values, 0, side="left")
    places = [round(quantile * (len(values) - 1)) for quantile in QUANTILES]
    return Spread(_short(zeros / len(values)), [_short(values[place]) for place in places])


def _short(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
