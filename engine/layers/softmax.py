"""Softmax over the last axis."""
from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.kernels import real
from engine.layer import Grads, Layer, Run
from engine.layers.shapes import expect_input
from engine.preconditions import expect_gradient


class Softmax(Layer):
    """y_i = e^x_i / sum over k of e^x_k.

    Every output depends on every input: dy_k/dx_i = y_k ([i = k] - y_i), so

        dx_i = sum over k of dy_k y_k ([i = k] - y_i) = y_i (dy_i - sum over k of dy_k y_k)

    Subtracting the largest x changes nothing in y and keeps e^x from overflowing. x, y: (..., K).
    """

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        expect_input(x, ...)
        xp = array_namespace(x)
        e = xp.exp(x - xp.max(real(x), axis=-1, keepdims=True))
        y = e / xp.sum(e, axis=-1, keepdims=True)
        return y, y if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        y, xp = saved, array_namespace(dy)
        expect_gradient(dy, y.shape)
        return y * (dy - xp.sum(dy * y, axis=-1, keepdims=True)), {}

    def onnx(self, graph: Graph, x: Value) -> Value:
        return graph.add("Softmax", [x], x.shape, axis=1)
