"""Batch norm and max-pooling in one: only what the pooling keeps is normalized."""
from __future__ import annotations

from functools import partial
from typing import Any

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.graph import Graph, Value
from engine.kernels import combine_pooled, gradient_sums, real
from engine.layer import Grads, Run
from engine.layers.batch_norm import BatchNorm, Measured, Vectors
from engine.layers.pooling import MaxPool
from engine.layers.shapes import Pair
from engine.preconditions import expect_gradient


class PooledNorm(BatchNorm):
    """y = pool(norm(x)) = norm(z), where z is the largest x of a window if c1 >= 0 and the smallest if c1 < 0.

    Batch norm, c1 s (x - m) + c2, grows with x where c1 is positive and falls where it is negative: what max-pooling
    will choose is known before anything is normalized, and only z, a quarter of x, has to be. Backward alike: let g be
    the gradient w.r.t. norm(x), which is dy at z's places and 0 elsewhere. The sums over all of x that BatchNorm's
    derivation has are sums over z:

        sum of g = sum of dy            sum of g (x - m) = sum of dy (z - m)

    Parameters, moving averages and `statistics` are BatchNorm's, windows of `size` lie side by side as MaxPool's. Where
    several numbers of a window are equal once they are normalized (c1 = 0, or to rounding) the gradient may go to
    another of them than pool's: the function has a kink there. x: (N, H, W, C); y, z: (N, H', W', C). Raises ValueError
    for what BatchNorm or MaxPool refuses.
    """

    def __init__(self, channels: int, statistics: str = "batch", size: int | Pair = 2, *,
                 dtype: str = "float32") -> None:
        super().__init__(channels, statistics, dtype=dtype)
        self.pool = MaxPool(size)

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        measured = self.measure(x, run)
        z, places = self.extremes(x, run)
        return self.normalize(z, measured), (x, z, measured, places) if run.record else None

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        x, z, measured, places = saved
        sums = self.sums(dy, z, measured)
        return (self.pooled_gradient(dy, x, measured, places, measured.of_all(sums)),
                self.parameter_gradients(measured, sums))

    def extremes(self, x: Array, run: Run) -> tuple[Array, Array | None]:
        """z and its places in the windows; no places where nothing is recorded."""
        xp, c1 = array_namespace(x), real(self.params["c1"])
        falling = c1 < 0
        if not bool(xp.any(falling)):
            z, kept = self.pool.forward(x, run)
        else:
            sign = xp.astype(1 - 2 * xp.astype(falling, c1.dtype), x.dtype)
            z, kept = self.pool.forward(sign * x, run)  # the smallest x is the largest -x
            z = sign * z
        return z, kept[0] if kept else None

    def sums(self, dy: Array, z: Array, measured: Measured) -> Vectors:
        """Sums of g and of g (x - m) over all samples that are here."""
        expect_gradient(dy, z.shape)
        return gradient_sums(dy, z, measured.m)

    def pooled_gradient(self, dy: Array, x: Array, measured: Measured, places: Array, sums: Vectors) -> Array:
        """dx, for all of x or some of its images; sums: as above, over the whole batch."""
        if measured.batch is None:  # g alone is scaled, there is nothing to combine
            g, _ = self.pool.backward(dy, (places, x.shape))
            return self.input_gradient(g, x, measured, sums)
        combine = partial(combine_pooled, place=places, size=self.pool.size)  # g from dy and the places
        return self.input_gradient(dy, x, measured, sums, combine)

    def summary(self) -> str:
        return f"{super().summary()}, {self.pool.summary()}"

    def onnx(self, graph: Graph, x: Value) -> Value:
        xp = array_namespace(self.params["c1"])
        if bool(xp.any(self.params["c1"] < 0)):
            return self.pool.onnx(graph, super().onnx(graph, x))
        return super().onnx(graph, self.pool.onnx(graph, x))  # a quarter of the numbers

    def piece(self, x: Array, y: Array) -> Array | None:
        return self.extremes(x, Run())[1]
