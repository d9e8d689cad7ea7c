"""Batch normalization."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.initializers import constant
from engine.kernels import batch_moments, combine, gradient_sums, scale_and_shift
from engine.layer import Grads, Layer, Run
from engine.layers.shapes import expect_input
from engine.preconditions import expect_gradient
from engine.reduction import WHOLE, Reduction

Vectors = tuple[Array, Array]


@dataclass(frozen=True)
class Measured:
    """Of a batch: moments by name, None in inference; m and s = 1 / sqrt(v + epsilon), (C,); M numbers a channel.

    reduction: of the pass; where the batch lies on several ranks, moments and M are of all of it.
    """
    batch: dict[str, Array] | None
    m: Array
    s: Array
    M: int
    reduction: Reduction = WHOLE

    def of_all(self, sums: Vectors) -> Vectors:
        """Sums of dy and dy (x - m) over the whole batch, which dx needs, from those over what is here of it."""
        return sums if self.batch is None else self.reduction.sum(*sums)


class BatchNorm(Layer):
    """xhat = (x - m) / sqrt(v + epsilon),   y = c1 xhat + c2                                            (3.33), (3.36)

    for every channel of x: (..., C), an image (N, H, W, C) or flat features (N, C); c1, c2: (C,). Let mu and var be the
    mean and the population variance of the channel over the M = N H W numbers of the batch.

    Inference normalizes by the moving averages, alpha old + (1 - alpha) batch (3.34), (3.35). Training normalizes
        statistics="batch"    by the batch, m = mu and v = var: the usual form
        statistics="moving"   by the averages, this batch included, m = alpha m' + (1 - alpha) mu: (3.33) as printed
    With kappa = 1, 1 - alpha and 0 for batch, moving and inference, dm/dmu = dv/dvar = kappa covers all three.

    Backward. Let g = dy c1 = dL/dxhat and s = 1 / sqrt(v + epsilon).
        dc2 = sum of dy          dc1 = sum of dy xhat = s sum of dy (x - m)
    x reaches the loss in three ways: directly, through mu and through var. From xhat = s (x - m), ds/dv = -s^3 / 2:
        dL/dm = -s sum of g                      dL/dv = -(s^3 / 2) sum of g (x - m)
    and dmu/dx = 1/M, dvar/dx = 2 (x - mu) / M (mu's own part in var falls out, since x - mu sums to 0):
        dx = s g + kappa dL/dm / M + kappa dL/dv 2 (x - mu) / M
           = c1 s (dy - kappa/M sum of dy - kappa/M s^2 (x - mu) sum of dy (x - m))
    A check with dy = 1 would see none of the sums of "batch": there the first two terms cancel and the third is 0. With
    "moving" the first two leave alpha, and the third's sum is M (mu - m).

    Rounding. x - m comes first, then s and c1: as x (c1 s) + (c2 - m c1 s), two large numbers would cancel where m is
    large. What is left is the rounding of m itself, at most half of its last digit, as in x. Float32 against float64,
    mean 1000 and standard deviation 1, of the largest number: y 9e-6 and dx 5e-6, fused 3e-5 and 8e-6; in inference,
    where m is given, y 1e-7, fused 3e-5.

    alpha = 0 makes "moving" the usual form. Errata: (3.33) has no epsilon. Backward hands out the batch's moments under
    the names of the averages; `absorb` takes them in when the optimizer steps.

    Where the batch lies on several ranks, m, v, M and both sums in dx are those of the whole batch: the run's reduction
    is asked for them. dc1 and dc2 are this rank's part, as every parameter's gradient.

    Raises ValueError for other channels than its own, and in training for a single number a channel: its variance is 0,
    whatever it is.
    """

    def __init__(self, channels: int, statistics: str = "batch", alpha: float = 0.9, epsilon: float = 1e-5, *,
                 dtype: str = "float32") -> None:
        super().__init__()
        if statistics not in ("batch", "moving"):
            raise ValueError(f"statistics is {statistics!r}; expected 'batch' or 'moving'")
        self.statistics, self.alpha, self.epsilon = statistics, alpha, epsilon
        self.params = {"c1": constant(1, channels, dtype), "c2": constant(0, channels, dtype)}
        self.buffers = {"mean": constant(0, channels, dtype), "variance": constant(1, channels, dtype)}

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        measured = self.measure(x, run)
        return self.normalize(x, measured), (x, measured) if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        x, measured = saved
        expect_gradient(dy, x.shape)
        sums = gradient_sums(dy, x, measured.m)
        return (self.input_gradient(dy, x, measured, measured.of_all(sums)),
                self.parameter_gradients(measured, sums))

    def measure(self, x: Array, run: Run) -> Measured:
        """What x is normalized by: all of the rank's samples."""
        expect_input(x, ..., self.params["c1"].shape[0])
        M = math.prod(x.shape[1:-1]) * run.reduction.samples(x.shape[0])
        if run.train and M == 1:
            raise ValueError(f"the input is {tuple(x.shape)}: a single number for every channel. Batch norm in "
                             "training expects at least 2, since it divides by their deviation: use larger batches")
        batch = None
        if run.train:
            batch = dict(zip(("mean", "variance"), run.reduction.moments(*batch_moments(x)), strict=True))
        m, v = self._normalizers(batch)
        return Measured(batch, m, 1 / array_namespace(x).sqrt(v + self.epsilon), M, run.reduction)

    def normalize(self, x: Array, measured: Measured) -> Array:
        """y for all of x or a part of it."""
        return scale_and_shift(x, measured.m, self.params["c1"] * measured.s, self.params["c2"])

    def parameter_gradients(self, measured: Measured, sums: Vectors) -> Grads:
        """dc1 and dc2 from the sums of dy and dy (x - m) over what is here, and the moments for `absorb`."""
        sum_dy, sum_dy_x = sums
        return {"c1": measured.s * sum_dy_x, "c2": sum_dy} | (measured.batch or {})

    def input_gradient(self, dy: Array, x: Array, measured: Measured, sums: Vectors,
                       combine: Callable[..., Array] = combine) -> Array:
        """dx for all of x or a part of it; sums: as above, over the whole batch. combine: the kernel that adds up."""
        scale = self.params["c1"] * measured.s
        if measured.batch is None:
            return scale_and_shift(dy, 0 * scale, scale, 0 * scale)
        sum_dy, sum_dy_x = sums
        kappa_M = (1 if self.statistics == "batch" else 1 - self.alpha) / measured.M
        x_scale = -scale * measured.s * measured.s * sum_dy_x * kappa_M
        return combine(dy, x, measured.batch["mean"], scale, x_scale, -scale * sum_dy * kappa_M)

    def summary(self) -> str:
        return f"{self.params['c1'].shape[0]}" + "".join(shown for value, usual, shown in (
            (self.statistics, "batch", f", {self.statistics!r}"), (self.alpha, 0.9, f", alpha={self.alpha}"),
            (self.epsilon, 1e-5, f", epsilon={self.epsilon}")) if value != usual)

    def onnx(self, graph: Graph, x: Value) -> Value:
        arrays = [graph.constant(name, array) for name, array in (self.params | self.buffers).items()]
        return graph.add("BatchNormalization", [x, *arrays], x.shape, epsilon=float(self.epsilon))

    def absorb(self, grads: Grads) -> None:
        for name in grads.keys() & self.buffers.keys():  # none where the pass was one of inference
            average = self.buffers[name]
            average[...] = self.alpha * average + (1 - self.alpha) * grads[name]

    def _normalizers(self, batch: dict[str, Array] | None) -> Vectors:
        """m and v of the forward pass."""
        if batch is None:
            return self.buffers["mean"], self.buffers["variance"]
        if self.statistics == "batch":
            return batch["mean"], batch["variance"]
        return tuple(self.alpha * self.buffers[name] + (1 - self.alpha) * batch[name] for name in batch)
