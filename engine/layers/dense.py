"""The fully connected layer of the multi-layer perceptron."""
from __future__ import annotations

from math import prod
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.initializers import Generator, constant, xavier_uniform
from engine.kernels import channel_sums, matrix_product
from engine.layer import Grads, Layer, Run
from engine.layers.activations import Activation, expect_activation
from engine.layers.shapes import expect_input
from engine.preconditions import expect_gradient


class Dense(Layer):
    """o = sigma(a),   a = x W + b                                                                       (3.3)-(3.7)

    x: (N, I), W: (I, O), b: (O,); a, o: (N, O). A sample is a row here: the thesis's W o with columns is the transpose.

    By the chain rule (3.8) every gradient is the transposed Jacobian times the one that comes from behind. do is dL/do,
    the gradient of the loss L; with da = do . sigma'(a) (Algorithm 2, line 3):

        dW = x^T da      W[i,o] moves a[n,o] by x[n,i], in every sample n        (3.9), (3.10)      (line 5)
        dx = da W^T      x[n,i] moves every a[n,o] by W[i,o]                     (3.11)             (line 6)
        db = sum of da over n                                                    (3.12)             (line 4)

    Errata: Algorithm 2 prints both products as element-wise ones, and (3.11) has o_h-1 where W_h^T must stand.
    """

    def __init__(self, in_features: int, out_features: int, activation: Activation | None = None, bias: float = 0.0, *,
                 rng: Generator, dtype: str = "float32") -> None:
        super().__init__()
        expect_activation(activation)
        self.activation = activation
        W = xavier_uniform(rng, (in_features, out_features), dtype)
        self.params = {"W": W, "b": constant(bias, out_features, dtype)}

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        expect_input(x, "N", self.params["W"].shape[0])
        a = matrix_product(x, self.params["W"]) + self.params["b"]
        o = self.activation.value(a) if self.activation else a
        return o, (x, o if self.activation else None) if run.record else None

    def backward(self, dy: Array, saved: Any, *, wants_dx: bool = True) -> tuple[Array, Grads]:
        x, o = saved
        expect_gradient(dy, (x.shape[0], self.params["b"].shape[0]))
        xp = array_namespace(x)
        da, db = self.activation.gradients(dy, o) if self.activation else (dy, channel_sums(dy))
        dx = matrix_product(da, xp.matrix_transpose(self.params["W"])) if wants_dx else None
        dW = matrix_product(xp.matrix_transpose(x), da)
        return dx, {"W": dW, "b": db}

    def last_gradients(self, dy: Array, saved: Any) -> Grads:
        return self.backward(dy, saved, wants_dx=False)[1]

    def summary(self) -> str:
        inputs, outputs = self.params["W"].shape
        return f"{inputs}, {outputs}" + (f", {self.activation}" if self.activation else "")

    def piece(self, x: Array, y: Array) -> Array | None:
        return self.activation.piece(x, y) if self.activation else None

    def onnx(self, graph: Graph, x: Value) -> Value:
        x, places = graph.features(x)
        W, b = graph.constant("W", self.params["W"][places]), graph.constant("b", self.params["b"])
        a = graph.add("Gemm", [x, W, b], self.params["b"].shape)
        return self.activation.onnx(graph, a) if self.activation else a

    def multiplications(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        return prod(y[:-1]) * self.params["W"].size
