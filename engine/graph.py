"""A network in inference as a list of ONNX's operators: what the layers say of themselves, before it is a file.

    Layer.onnx(graph, x) -> y     adds the layer's nodes to the graph; x and y: a Value, or a pair of such

Here are no protocol buffers, so a layer needs no library to say what it is; engine.onnx makes the file. Inside the
graph the channels stand second, (N, C, H, W), as ONNX's operators have them; for features, (N, C), they do so anyway. A
Value's shape is still the engine's, (H, W, C), without the batch.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

import numpy as np

from engine.arrays import Array, to_numpy
from engine.preconditions import within

Attribute = int | float | str | Sequence[int]


@dataclass(frozen=True)
class Value:
    """An array that a node makes: its name; its shape in the engine's order without the batch, (H, W, C) or (C,).

    image: of features, (H W C,), that a Flatten makes: the image's shape. The node is the image's still, and who takes
    the features says in which order: see `Graph.features`.
    """
    name: str
    shape: tuple[int, ...]
    image: tuple[int, ...] = ()


@dataclass(frozen=True)
class Node:
    """An operator of ONNX: one output, called as the node. An input that is "" is left out."""
    operator: str
    inputs: tuple[str, ...]
    name: str
    attributes: dict[str, Attribute]


@dataclass
class Graph:
    """nodes in the order of computing; constants by name, "3.conv.W" that of a parameter, float32 unless they are whole
    numbers."""
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    _path: tuple[str, ...] = ()

    def add(self, operator: str, inputs: Sequence[Value | str], shape: Sequence[int], **attributes: Attribute) -> Value:
        """What the operator makes of the inputs, of that shape. The node is called by the layer's path."""
        names = tuple(self._in_order(each).name if isinstance(each, Value) else each for each in inputs)
        name = self._new_name(".".join((*self._path, operator)))
        self.nodes.append(Node(operator, names, name, attributes))
        return Value(name, tuple(shape))

    def constant(self, name: str, array: Array) -> str:
        """The name in the graph of an array, or a list of numbers, that belongs to the layer. Floats become float32."""
        numbers = to_numpy(array)
        name = self._new_name(".".join((*self._path, name)))
        self.constants[name] = np.ascontiguousarray(
            numbers.astype(np.float32) if numbers.dtype.kind == "f" else numbers)
        return name

    def channels_last(self, x: Value) -> Value:
        """x with its axes as the engine has them, (N, H, W, C), for an operator that depends on their order."""
        if len(x.shape) == 1:
            return self._in_order(x)
        return self.add("Transpose", [x], x.shape, perm=(0, *range(2, len(x.shape) + 1), 1))

    def features(self, x: Value) -> tuple[Value, np.ndarray | slice]:
        """The features as they lie, channels first, and where each stands in the engine's order: for a layer that can
        exchange its weights in place of the features, whose axes then need not be moved."""
        if not x.image:
            return x, slice(None)
        channels_first = np.moveaxis(np.arange(x.shape[0]).reshape(x.image), -1, 0)
        return self.add("Flatten", [Value(x.name, x.image)], x.shape, axis=1), channels_first.ravel()

    def _in_order(self, x: Value) -> Value:
        """x; features that are an image still, in the engine's order."""
        if not x.image:
            return x
        return self.add("Flatten", [self.channels_last(Value(x.name, x.image))], x.shape, axis=1)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """The layer `name` adds its nodes. A ValueError of it is reported with its path."""
        self._path = (*self._path, name)
        try:
            yield
        except ValueError as error:
            raise within(name, error) from None
        finally:
            self._path = self._path[:-1]

    def _new_name(self, wished: str) -> str:
        taken = {node.name for node in self.nodes} | self.constants.keys()
        return next(name for name in chain([wished], (f"{wished}_{k}" for k in count(2))) if name not in taken)


def corners(padding: Any) -> tuple[int, int, int, int]:
    """((top, bottom), (left, right)) as ONNX has it: top, left, bottom, right."""
    (top, bottom), (left, right) = padding
    return top, left, bottom, right
