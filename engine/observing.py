"""Watching what passes through the layers of a network, on the way that an unwatched pass takes."""
from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from engine.arrays import Array
from engine.layer import Layer, Run

See = Callable[[str, Layer, Array, Array], None]


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
