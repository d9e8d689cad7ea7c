"""Layers that move numbers without computing: nearest upsampling and flattening."""
from __future__ import annotations

from array_api_compat import array_namespace

from engine.kernels import upsample, upsample_gradient
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
        return upsample(x, self.factor), None

    def backward(self, dy, saved):
        return upsample_gradient(dy, self.factor), {}


class Flatten(Layer):
    """y: (N, H W C) from x: (N, H, W, C), rows first;   dx: dy in the shape of x."""

    def forward(self, x, run):
        return array_namespace(x).reshape(x, (x.shape[0], -1)), x.shape

    def backward(self, dy, saved):
        return array_namespace(dy).reshape(dy, saved), {}
