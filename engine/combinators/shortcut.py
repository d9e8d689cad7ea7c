"""A shortcut: x goes through layers and around them, and what comes of both is put side by side.

    y = [f(x), x]      Skip(f): Fork(f) makes the pair (f(x), x), Merge joins it along the channels

Where the pair goes on through other layers before it is joined, Fork and Merge stand apart: see models/unet.py.
"""
from __future__ import annotations

from typing import Any

from engine.arrays import Array
from engine.combinators.chain import Chain
from engine.graph import Graph, Value
from engine.kernels import add, concatenate
from engine.layer import Grads, Layer, Run
from engine.preconditions import expect_gradient

# What a Fork makes and a Merge takes.
Forked = tuple[Array, Array]


class Fork(Chain):
    """y = (f(x), x), a pair,   dx = f'^T(dy_f) + dy_x: the gradient splits and adds. f: the Chain of the layers."""

    def forward(self, x: Array, run: Run) -> tuple[Forked, Any]:
        fx, saved = super().forward(x, run)
        return (fx, x), saved

    def backward(self, dy: Forked, saved: Any) -> tuple[Array, Grads]:
        (*dfx, around), kept = dy, [saved]
        del dy, saved  # popped: nothing here holds on to what the layers inside are done with
        inside, grads = super().backward(dfx.pop(), kept.pop())
        expect_gradient(around, inside.shape)
        return add(inside, around), grads

    def onnx(self, graph: Graph, x: Value) -> tuple[Value, Value]:
        return super().onnx(graph, x), x


class Merge(Chain):
    """y = [g(a), b] along channels from the pair (a, b),   da = g'^T(dy_g), db = dy_b. g: the Chain of the layers.

    g(a): (N, H, W, K), b: (N, H, W, C); y: (N, H, W, K + C), the order of the merge layers in A.3.2. Raises ValueError
    where their sides differ.
    """

    def forward(self, x: Forked, run: Run) -> tuple[Array, Any]:
        a, b = x
        ga, saved = super().forward(a, run)
        if ga.shape[:-1] != b.shape[:-1]:
            raise ValueError(f"what is merged is {ga.shape} and {b.shape}: only the channels may differ. Layers that "
                             "halve and then double the sides need even ones: give the network an input whose sides "
                             "can be halved as often as it does")
        y = concatenate(ga, b)
        return y, (ga.shape[-1], y.shape, saved) if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Forked, Grads]:
        channels, shape, *kept = saved
        del saved
        expect_gradient(dy, shape)
        da, grads = super().backward(dy[..., :channels], kept.pop())
        return (da, dy[..., channels:]), grads

    def onnx(self, graph: Graph, x: tuple[Value, Value]) -> Value:
        ga, b = super().onnx(graph, x[0]), x[1]
        return graph.add("Concat", [ga, b], (*ga.shape[:-1], ga.shape[-1] + b.shape[-1]), axis=1)


class Skip(Chain):
    """y = [f(x), x] along channels: Fork, then Merge. f: the Chain of the layers.

    x: (N, H, W, C) and f(x): (N, H, W, K) give y: (N, H, W, K + C).
    """

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        super().__init__(fork=Fork(*layers, **named), merge=Merge())
