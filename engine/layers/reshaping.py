"""Layers that move numbers without computing: nearest upsampling and flattening."""
from __future__ import annotations

from array_api_compat import array_namespace

from engine.layer import Layer


class Upsample(Layer):
    """y repeats every pixel factor x factor times (nearest neighbour);   dx sums dy over the pixel's copies.

    x: (N, H, W, C); y: (N, factor H, factor W, C).
    """

    def __init__(self, factor: int = 2) -> None:
        super().__init__()
        if factor < 1:
            raise ValueError(f"factor is {factor}; expected a whole number of at least 1")
        self.factor = factor

    def forward(self, x, run):
        xp = array_namespace(x)
        return xp.repeat(xp.repeat(x, self.factor, axis=1), self.factor, axis=2), None

    def backward(self, dy, saved):
        n, height, width, channels = dy.shape
        xp, f = array_namespace(dy), self.factor
        copies = xp.reshape(dy, (n, height // f, f, width // f, f, channels))
        return xp.sum(copies, axis=(2, 4)), {}


class Flatten(Layer):
    """y: (N, H W C) from x: (N, H, W, C), rows first;   dx: dy in the shape of x."""

    def forward(self, x, run):
        return array_namespace(x).reshape(x, (x.shape[0], -1)), x.shape

    def backward(self, dy, saved):
        return array_namespace(dy).reshape(dy, saved), {}
