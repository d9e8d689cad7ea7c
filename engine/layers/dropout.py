"""Dropout."""
from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.layer import Grads, Layer, Run
from engine.layers.shapes import expect_input
from engine.preconditions import expect_gradient


class Dropout(Layer):
    """y = x k / p where k = 1 with probability p = keep_probability, else 0 (section 3.1.5). Inference: y = x.

    Errata: the section calls the output o_BN, the name of batch norm's; dropout has one of its own.

    The division keeps the expectation of y at x. k does not depend on x, so dx = dy k / p.

    The mask is a function of the run's seed (the step's seed and the layer's place): there is nothing to save, and the
    same mask comes back in backward, on every backend, in a recomputation and after a resume; on several ranks each
    has the mask's rows of its samples. x: (N, ...).
    """

    def __init__(self, keep_probability: float = 0.5) -> None:
        super().__init__()
        if not 0 < keep_probability <= 1:
            raise ValueError(f"keep_probability is {keep_probability}; expected a number in (0, 1]")
        self.keep_probability = keep_probability

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        expect_input(x, ...)
        return self._apply(x, run), (run, x.shape) if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        run, shape = saved
        expect_gradient(dy, shape)
        return self._apply(dy, run), {}

    def summary(self) -> str:
        return f"{self.keep_probability}"

    def onnx(self, graph: Graph, x: Value) -> Value:
        return x

    def _apply(self, x: Array, run: Run) -> Array:
        if not run.train:
            return x
        kept = run.uniform(x) < self.keep_probability
        return x * (array_namespace(x).astype(kept, x.dtype) / self.keep_probability)
