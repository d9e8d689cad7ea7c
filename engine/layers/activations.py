"""Activations: functions of one number, applied element by element."""
from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.kernels import channel_sums, real, relu, relu_gradient
from engine.layer import Grads, Layer, Run
from engine.layers.shapes import expect_input
from engine.preconditions import expect_gradient


class Activation(Layer):
    """o = sigma(a),   da = do . sigma'(a).

    Each sigma here has a derivative that can be written with o alone. So a layer may apply it to its own output and
    keep nothing more than that output: Conv2D(..., activation=ReLU()).
    """

    def value(self, a: Array) -> Array:
        """sigma(a)."""
        raise NotImplementedError

    def gradient(self, do: Array, o: Array) -> Array:
        """do . sigma'(a), where o = sigma(a)."""
        raise NotImplementedError

    def gradients(self, do: Array, o: Array) -> tuple[Array, Array]:
        """da: (..., C), and its sums over all but the channels: (C,), the gradient of a bias that is added in a."""
        da = self.gradient(do, o)
        return da, channel_sums(da)

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        expect_input(x, ...)
        o = self.value(x)
        return o, o if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        expect_gradient(dy, saved.shape)
        return self.gradient(dy, saved), {}


def expect_activation(activation: Activation | None) -> None:
    """Raises ValueError unless a layer can apply it to its own output: an activation, made by a call, or None."""
    if activation is None or isinstance(activation, Activation):
        return
    if isinstance(activation, type):
        raise ValueError(f"activation is the class {activation.__name__}; expected {activation.__name__}()")
    if isinstance(activation, Layer):
        raise ValueError(f"activation is {activation!r}, which is no function of one number; expected ReLU(), "
                         "LeakyReLU(), Sigmoid(), Tanh() or None: put it behind this layer in a Chain instead")
    raise ValueError(f"activation is {activation!r}; expected ReLU(), LeakyReLU(), Sigmoid(), Tanh() (from "
                     "engine.layers) or None")


class ReLU(Activation):
    """o = max(a, 0),   da = do . [o > 0]."""

    value = staticmethod(relu)

    def gradient(self, do: Array, o: Array) -> Array:
        return relu_gradient(do, o)[0]

    def gradients(self, do: Array, o: Array) -> tuple[Array, Array]:
        return relu_gradient(do, o)

    def onnx(self, graph: Graph, x: Value) -> Value:
        return graph.add("Relu", [x], x.shape)

    def piece(self, x: Array, y: Array) -> Array | None:
        return real(y) > 0


class LeakyReLU(Activation):
    """o = a where a > 0, slope a elsewhere (0 < slope < 1);   da = do . (1 where o > 0, slope elsewhere)."""

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        if not 0 < slope < 1:
            raise ValueError(f"slope is {slope}; expected 0 < slope < 1, so that the output's sign tells the branch")
        self.slope = slope

    def summary(self) -> str:
        return f"{self.slope}"

    def value(self, a: Array) -> Array:
        return array_namespace(a).where(real(a) > 0, a, self.slope * a)

    def gradient(self, do: Array, o: Array) -> Array:
        return array_namespace(o).where(real(o) > 0, do, self.slope * do)

    def onnx(self, graph: Graph, x: Value) -> Value:
        return graph.add("LeakyRelu", [x], x.shape, alpha=float(self.slope))

    def piece(self, x: Array, y: Array) -> Array | None:
        return real(y) > 0


class Sigmoid(Activation):
    """o = 1 / (1 + e^-a),   da = do . o (1 - o).

    From e^-|a|, which does not overflow: o = 1 / (1 + e^-a) where a > 0, e^a / (1 + e^a) elsewhere.
    """

    def value(self, a: Array) -> Array:
        xp = array_namespace(a)
        positive = real(a) > 0
        small = xp.exp(xp.where(positive, -a, a))
        return xp.where(positive, 1 / (1 + small), small / (1 + small))

    def gradient(self, do: Array, o: Array) -> Array:
        return do * (o * (1 - o))

    def onnx(self, graph: Graph, x: Value) -> Value:
        return graph.add("Sigmoid", [x], x.shape)


class Tanh(Activation):
    """o = tanh a,   da = do . (1 - o^2)."""

    def value(self, a: Array) -> Array:
        return array_namespace(a).tanh(a)

    def gradient(self, do: Array, o: Array) -> Array:
        return do * (1 - o * o)

    def onnx(self, graph: Graph, x: Value) -> Value:
        return graph.add("Tanh", [x], x.shape)
