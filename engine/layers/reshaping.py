"""Layers that move numbers without computing: nearest upsampling and flattening."""
from __future__ import annotations

from math import prod
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.kernels import upsample, upsample_gradient
from engine.layer import Grads, Layer, Run
from engine.layers.shapes import expect_input
from engine.preconditions import expect_gradient


class Upsample(Layer):
    """y repeats every pixel factor x factor times (nearest neighbour);   dx sums dy over the pixel's copies.

    x: (N, H, W, C); y: (N, factor H, factor W, C).
    """

    def __init__(self, factor: int = 2) -> None:
        super().__init__()
        if not isinstance(factor, int) or factor < 1:
            raise ValueError(f"factor is {factor}; expected a whole number of at least 1")
        self.factor = factor

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        expect_input(x, "N", "H", "W", "C")
        return upsample(x, self.factor), x.shape

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        n, height, width, channels = saved
        expect_gradient(dy, (n, self.factor * height, self.factor * width, channels))
        return upsample_gradient(dy, self.factor), {}

    def summary(self) -> str:
        return f"{self.factor}"

    def onnx(self, graph: Graph, x: Value) -> Value:
        height, width, channels = x.shape
        scales = graph.constant("scales", [1.0, 1.0, self.factor, self.factor])
        return graph.add("Resize", [x, "", scales], (self.factor * height, self.factor * width, channels),
                         mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


class Flatten(Layer):
    """y: (N, H W C) from x: (N, H, W, C), rows first;   dx: dy in the shape of x."""

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        expect_input(x, ...)
        return array_namespace(x).reshape(x, (x.shape[0], -1)), x.shape

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        expect_gradient(dy, (saved[0], prod(saved[1:])))
        return array_namespace(dy).reshape(dy, saved), {}

    def onnx(self, graph: Graph, x: Value) -> Value:
        """No node yet: a Dense behind it takes the features in the order of ONNX's image, others in the engine's."""
        return x if len(x.shape) == 1 else Value(x.name, (prod(x.shape),), image=x.shape)
