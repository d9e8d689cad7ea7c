"""Batch norm and max-pooling in one: only what the pooling keeps is normalized."""
from __future__ import annotations

from array_api_compat import array_namespace

from engine.kernels import gradient_sums, real
from engine.layer import Array, Grads, Layer, Run
from engine.layers import BatchNorm, MaxPool
from engine.layers.batch_norm import Measured, Pair
from engine.preconditions import expect_gradient


class PooledNorm(Layer):
    """y = pool(norm(x)) = norm(z), where z is the largest x of a window if c1 >= 0 and the smallest if c1 < 0.

    Batch norm, c1 s (x - m) + c2, grows with x where c1 is positive and falls where it is negative: what max-pooling
    will choose is known before anything is normalized, and only z, a quarter of x, has to be. Backward alike: let g be
    the gradient w.r.t. norm(x), which is dy at z's places and 0 elsewhere. The sums over all of x that BatchNorm's
    derivation has are sums over z:

        sum of g = sum of dy            sum of g (x - m) = sum of dy (z - m)

    Where several numbers of a window are equal once they are normalized (c1 = 0, or to rounding) the gradient may go to
    another of them than pool's: the function has a kink there.

    name: of batch norm's parameters in the paths. x: (N, H, W, C); y, z: (N, H', W', C). Raises ValueError for what
    BatchNorm or MaxPool refuses.
    """

    def __init__(self, name: str, norm: BatchNorm, pool: MaxPool) -> None:
        super().__init__()
        self.children = {name: norm, "pool": pool}
        self.name, self.norm, self.pool = name, norm, pool

    def forward(self, x, run):
        measured = self.norm.measure(x, run)
        z, places = self.extremes(x, run)
        return self.norm.normalize(z, measured), (x, z, measured, places) if run.record else None

    def backward(self, dy, saved):
        x, z, measured, places = saved
        expect_gradient(dy, z.shape)
        sums = gradient_sums(dy, z, measured.m)
        return self.input_gradient(dy, x, measured, places, sums), self.parameter_gradients(measured, sums)

    def extremes(self, x: Array, run: Run) -> tuple[Array, tuple]:
        """z, and what the pooling's backward needs, for all of x or a part of it."""
        xp, c1 = array_namespace(x), real(self.norm.params["c1"])
        falling = c1 < 0
        if not bool(xp.any(falling)):
            return self.pool.forward(x, run)
        sign = xp.astype(1 - 2 * xp.astype(falling, c1.dtype), x.dtype)
        z, places = self.pool.forward(sign * x, run)  # the smallest x is the largest -x
        return sign * z, places

    def input_gradient(self, dy: Array, x: Array, measured: Measured, places: tuple, sums: Pair) -> Array:
        """dx, for all of x or a part of it."""
        g, _ = self.pool.backward(dy, places)
        return self.norm.input_gradient(g, x, measured, sums)

    def parameter_gradients(self, measured: Measured, sums: Pair) -> Grads:
        """By path, from the sums over all of x."""
        return {f"{self.name}.{path}": g for path, g in self.norm.parameter_gradients(measured, sums).items()}
