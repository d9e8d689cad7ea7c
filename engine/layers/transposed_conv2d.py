"""Transposed convolution: learned upsampling."""
from __future__ import annotations

from math import prod
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value, corners
from engine.initializers import Generator, constant, xavier_normal
from engine.kernels import channel_sums, correlate, correlate_kernel_gradient
from engine.layer import Grads, Layer, Run
from engine.layers.activations import Activation, expect_activation
from engine.layers.conv2d import described, input_gradient
from engine.layers.padding import zeros_around
from engine.layers.shapes import Pair, expect_input, pair
from engine.preconditions import expect_gradient


class TransposedConv2D(Layer):
    """o = sigma(a),   a = W^T x + b: the pair of (3.37) and (3.41) exchanged.

    A convolution W of stride s, from `out_channels` to `in_channels`, is a linear map; its transpose is what (3.41)
    computes. Here that transpose is forward, and so the convolution is backward (`*`, da and the rest as in Conv2D):

        a  = x with s - 1 zeros between its pixels and KH - 1, KW - 1 around them, * rot180(W), plus b          (3.41)
        dx = da * W                                                                                             (3.37)
        dW = da correlated with x      (in that convolution da is the input, x the gradient at the output)      (3.42)
        db = sum of da over n, i, j

    x: (N, H, W, C), kernel W: (KH, KW, K, C), b: (K,); y: (N, s H, s W, K) for "SAME", (N, s (H - 1) + KH, ..., K) for
    "VALID" (where KH < s, s H).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | Pair = 2, stride: int | Pair = 2,
                 padding: str = "SAME", activation: Activation | None = None, bias: float = 0.0, *,
                 rng: Generator, dtype: str = "float32") -> None:
        super().__init__()
        if padding not in ("SAME", "VALID"):
            raise ValueError(f"padding is {padding!r}; expected 'SAME' or 'VALID'")
        expect_activation(activation)
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.activation = padding, activation
        kernel = xavier_normal(rng, (*self.kernel_size, out_channels, in_channels), dtype)
        self.params = {"W": kernel, "b": constant(bias, out_channels, dtype)}

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        W, b = self.params["W"], self.params["b"]
        expect_input(x, "N", "H", "W", W.shape[3])
        shape = self._out_shape(x.shape)
        padding = zeros_around(shape, self.kernel_size, self.stride, self.padding)
        a = input_gradient(x, W, shape, self.stride, padding) + b                              # (3.41)
        o = self.activation.value(a) if self.activation else a
        return o, (x, o if self.activation else None) if run.record else None

    def backward(self, dy: Array, saved: Any, *, wants_dx: bool = True) -> tuple[Array, Grads]:
        x, o = saved
        expect_gradient(dy, self._out_shape(x.shape))
        padding = zeros_around(dy.shape, self.kernel_size, self.stride, self.padding)
        da, db = self.activation.gradients(dy, o) if self.activation else (dy, channel_sums(dy))
        dx = correlate(da, self.params["W"], None, self.stride, padding) if wants_dx else None  # (3.37)
        dW = correlate_kernel_gradient(da, x, self.kernel_size, self.stride, padding)           # (3.42)
        return dx, {"W": dW, "b": db}

    def last_gradients(self, dy: Array, saved: Any) -> Grads:
        return self.backward(dy, saved, wants_dx=False)[1]

    def summary(self) -> str:
        outputs, inputs = self.params["W"].shape[2:]
        return described(inputs, outputs, self.kernel_size, self.stride, self.padding, self.activation)

    def piece(self, x: Array, y: Array) -> Array | None:
        return self.activation.piece(x, y) if self.activation else None

    def onnx(self, graph: Graph, x: Value) -> Value:
        W, shape = self.params["W"], self._out_shape((1, *x.shape))
        padding = zeros_around(shape, self.kernel_size, self.stride, self.padding)
        kernel = graph.constant("W", array_namespace(W).permute_dims(W, (3, 2, 0, 1)))
        beyond = [max(0, s - reach) for s, reach in zip(self.stride, self.kernel_size, strict=True)]  # no kernel there
        a = graph.add("ConvTranspose", [x, kernel, graph.constant("b", self.params["b"])], shape[1:],
                      kernel_shape=self.kernel_size, strides=self.stride, pads=corners(padding), output_padding=beyond)
        return self.activation.onnx(graph, a) if self.activation else a

    def multiplications(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        return prod(x[:-1]) * self.params["W"].size

    def _out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        height, width = (
            stride * size if self.padding == "SAME" else stride * (size - 1) + max(reach, stride)
            for size, stride, reach in zip(shape[1:3], self.stride, self.kernel_size, strict=True))
        return (shape[0], height, width, self.params["b"].shape[0])
