"""The protocol: a layer is a pair of pure functions that share a saved value.

    forward(x, run)      -> y, saved      saved: exactly what backward needs, None where run.record is False
    backward(dy, saved)  -> dx, grads     dx = (dy/dx)^T dy, and the same for every parameter, by name

Neither writes to anything, on the layer or in its arguments, so that gradients may be added over micro-batches, threads
or machines, a pass may be repeated (finite differences, recomputation), and one network may serve many threads.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

Array = Any  # an array of any library that array-api-compat knows
Grads = dict[str, Array]


@dataclass(frozen=True)
class Run:
    """How a pass is made.

    train   batch statistics and dropout on?
    record  keep what backward needs?  train=False, record=True gives gradients through the inference network
    seed    a path: the step's seed, then the place of the layer in the network
    """
    train: bool = True
    record: bool = True
    seed: tuple[int, ...] = (0,)

    def child(self, place: int) -> Run:
        """The run as the layer at `place` inside a combinator sees it: the same, with randomness of its own."""
        return replace(self, seed=(*self.seed, place))

    def uniform(self, like: Array) -> Array:
        """Float32 numbers in [0, 1) in the shape and place of `like`: the seed alone tells which, on every backend."""
        xp = array_namespace(like)
        drawn = np.random.default_rng(self.seed).random(like.shape, dtype=np.float32)
        return xp.asarray(drawn, dtype=xp.float32, device=device(like))


class Layer:
    """A differentiable function with parameters.

    params    what training changes, by name
    buffers   what a layer measures while training (moving averages), by name
    children  the layers that this one is made of, by name; the path "3.conv.W" names parameter W of child conv of 3
    """

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.buffers: dict[str, Array] = {}
        self.children: dict[str, Layer] = {}

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        raise NotImplementedError

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        raise NotImplementedError

    def piece(self, x: Array, y: Array) -> Array | None:
        """Which smooth piece of the function y = f(x) lies on; None for a function that is smooth everywhere.

        For ReLU the signs (also where fused into another layer), for max-pooling the places of the maxima. Two points
        with different pieces have a kink between them: a finite difference across it says nothing of the gradient.
        """
        return None

    def absorb(self, grads: Grads) -> None:
        """Take in what backward measured besides gradients (batch moments); called once per optimizer step."""
        for name, child in self.children.items():
            child.absorb({path.removeprefix(f"{name}."): g for path, g in grads.items() if path.startswith(f"{name}.")})

    def parameters(self) -> dict[str, Array]:
        """Every trainable array by path, in the order of the network."""
        return dict(self._named("params"))

    def moving_averages(self) -> dict[str, Array]:
        """Every buffer by path, in the order of the network."""
        return dict(self._named("buffers"))

    def _named(self, kind: str):
        yield from getattr(self, kind).items()
        for name, child in self.children.items():
            yield from ((f"{name}.{path}", array) for path, array in child._named(kind))

    def convert(self, function: Callable[[Array], Array]) -> None:
        """Replace every parameter and buffer by function(array): `network.convert(cupy.asarray)` moves to the GPU."""
        for arrays in (self.params, self.buffers):
            arrays.update({name: function(array) for name, array in arrays.items()})
        for child in self.children.values():
            child.convert(function)


def parameter_count(layer: Layer) -> int:
    """Number of trainable scalars."""
    return sum(array.size for array in layer.parameters().values())


def assign(layer: Layer, arrays: Mapping[str, Array]) -> None:
    """Copy arrays (by path) into the parameters and buffers of a layer.

    Raises ValueError, before anything is written, where the paths or shapes are not the layer's.
    """
    copy_arrays(layer.parameters() | layer.moving_averages(), arrays, "the network")


def copy_arrays(own: Mapping[str, Array], given: Mapping[str, Array], owner: str) -> None:
    """Copy the arrays given into an owner's own of the same names.

    Raises ValueError, before anything is written, naming the first that is absent on one side or of another shape.
    """
    for name in (*own, *(name for name in given if name not in own)):
        there = tuple(given[name].shape) if name in given else "absent"
        here = tuple(own[name].shape) if name in own else "absent"
        if there != here:
            raise ValueError(f"'{name}' is {there} in what was given and {here} in {owner}")
    for name, array in own.items():
        array[...] = array_namespace(array).asarray(given[name], dtype=array.dtype)
