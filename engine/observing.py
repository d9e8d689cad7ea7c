"""Watching what passes through the layers of a network, on the way that an unwatched pass takes."""
from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Protocol

from engine.arrays import Array
from engine.layer import Grads, Layer, Run

See = Callable[[str, Layer, Array, Array], None]


class Observer(Protocol):
    """What looks into some of the steps of a training, and changes nothing: arrays are seen, not to be kept or written
    to."""

    def due(self, number: int) -> bool:
        """Whether the step with that number is looked into: asked once a step, before it is made."""

    def layer(self, path: str, layer: Layer, x: Array, y: Array) -> None:
        """After the forward of every layer of such a step, as `observe` calls it; not in a forward that a backward
        repeats."""

    def gradients(self, grads: Grads) -> None:
        """At the end of its backward: by path, finite, before the optimizer changes a parameter."""


def observe(layer: Layer, see: See, path: str = "") -> Layer:
    """The same network, its arrays shared, that calls see(path, layer, x, y) after every layer with none inside.

    It runs the network's own code: a layer that walks through those inside it some images at a time, or once more in
    backward, is seen to do so, one call after the other. x or y is a pair where a layer takes or makes one.
    """
    twin = copy(layer)
    if layer.children:
        twin.children = {name: observe(child, see, f"{path}.{name}".lstrip("."))
                         for name, child in layer.children.items()}
        return twin

    def forward(x: Array, run: Run) -> tuple[Array, Any]:
        y, saved = layer.forward(x, run)
        see(path, layer, x, y)
        return y, saved

    vars(twin)["forward"] = forward  # the twin's own, in the place of its class's
    return twin
