"""One layer after the other."""
from __future__ import annotations

from typing import Any

from engine.arrays import Array
from engine.graph import Graph
from engine.layer import Grads, Layer, Run
from engine.preconditions import within


class Chain(Layer):
    """y = f_k(... f_2(f_1(x))),   dx = f_1'^T(... f_k'^T(dy)): Algorithms 1 and 2.

    Chain(a, b) names its layers "0" and "1"; Chain(conv=a, pool=b) names them "conv" and "pool": chain["conv"] is a.
    """

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        super().__init__()
        numbered = {str(place): layer for place, layer in enumerate(layers)}
        if twice := numbered.keys() & named.keys():
            raise ValueError(f"'{min(twice)}' is the name of two layers; expected one layer a name")
        self.children = numbered | named

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        saved = []
        for place, (name, layer) in enumerate(self.children.items()):
            try:
                x, kept = layer.forward(x, run.child(place))
            except ValueError as error:
                raise within(name, error) from None
            saved.append(kept)
        return x, saved if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        # In lists of our own: unless the caller holds on to his, each value is freed once it was used.
        saved, gradient = list(saved), [dy]
        del dy
        grads: Grads = {}
        for name, layer in reversed(self.children.items()):
            try:
                dx, own = layer.backward(gradient.pop(), saved.pop())
            except ValueError as error:
                raise within(name, error) from None
            gradient.append(dx)
            del dx
            grads |= {f"{name}.{path}": g for path, g in own.items()}
        return gradient.pop(), grads

    def last_gradients(self, dy: Array, saved: Any) -> Grads:
        if not self.children:
            return {}
        (name, first), *others = self.children.items()
        behind = Chain()
        behind._children = dict(others)  # not by `children`, which would look through all arrays again, in every step
        kept, gradient = [saved[0], saved[1:]], [dy]
        del dy, saved  # as in backward
        *gradient, grads = behind.backward(gradient.pop(), kept.pop())
        try:
            own = first.last_gradients(gradient.pop(), kept.pop())
        except ValueError as error:
            raise within(name, error) from None
        return grads | {f"{name}.{path}": g for path, g in own.items()}

    def onnx(self, graph: Graph, x: Any) -> Any:
        for name, layer in self.children.items():
            with graph.inside(name):
                x = layer.onnx(graph, x)
        return x
