"""A network prepared for repeated inference: what is made of the weights before the first image is made only once."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy

from engine.arrays import Array
from engine.kernels.cpu.kept import KeptKernel, keeping
from engine.layer import Layer


@contextmanager
def prepared(network: Layer) -> Iterator[Layer]:
    """The same network, to be run many times with the weights that it has now.

        with prepared(network) as ready:
            for image in images:
                y, _ = ready.forward(image, Run(train=False, record=False))

    On a CPU a 3x3 kernel is transformed before the convolution begins (Winograd's method). Of a single image that is a
    fifth of the time of the VGG, of a batch of 50 a hundredth. `ready` transforms each kernel when it is first used,
    and keeps that: the same answers to rounding, for four times the memory of the kernels for which it is used
    (`kept_bytes`); at most 235 MB for the VGG and 502 MB for the U-net at full width. On a GPU nothing is kept.

    All else, weights and moving averages included, `ready` shares with the network. So that nothing it keeps can be out
    of date, those kernels are read-only for as long as the block lasts: NumPy raises ValueError where a training step
    would write to them. At the end of the block what was kept is dropped; `ready` is not to be used any more.
    """
    locked: list[Array] = []

    def hold(array: Array) -> Array:
        kept = keeping(array)
        if isinstance(kept, KeptKernel):
            if array.flags.writeable:  # one that is not, another block holds, and lets go
                locked.append(array)
                array.flags.writeable = False
            kept.flags.writeable = False
        return kept

    ready = _twin(network, hold)
    try:
        yield ready
    finally:
        for array in locked:
            array.flags.writeable = True
        for layer in _layers(ready):
            layer.params = {}  # what was kept goes now, whoever still holds `ready`


def kept_bytes(ready: Layer) -> int:
    """What a prepared network keeps by now, besides the weights."""
    return sum(array.kept_bytes for array in ready.parameters().values() if isinstance(array, KeptKernel))


def _twin(layer: Layer, hold: Callable[[Array], Array]) -> Layer:
    """The layer once more, around the same arrays, each as `hold` gives it."""
    twin = copy(layer)
    twin.params = {name: hold(array) for name, array in layer.params.items()}
    twin.children = {name: _twin(child, hold) for name, child in layer.children.items()}
    return twin


def _layers(layer: Layer) -> Iterator[Layer]:
    yield layer
    for child in layer.children.values():
        yield from _layers(child)
