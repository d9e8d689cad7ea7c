"""Layers that are right, and layers whose backward has a classic mistake: what a gradient checker must tell apart."""
from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from engine.combinators import Chain
from engine.gradient_check.case import scatter
from engine.layer import Grads, Layer, Run
from engine.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool, Tanh

Entry = tuple[str, Layer, tuple[int, ...]]  # what it is, the layer, the shape of x
Change = Callable[[np.ndarray, np.ndarray, np.ndarray, Grads], tuple[np.ndarray, Grads]]
EPSILON = 1e-3
TINY = 1e-9


class Wrong(Layer):
    """A layer whose backward is the right one's, changed: change(x, dy, dx, grads) -> dx, grads."""

    def __init__(self, right: Layer, change: Change) -> None:
        super().__init__()
        self.children, self.change = {"right": right}, change

    def forward(self, x: np.ndarray, run: Run) -> tuple[np.ndarray, Any]:
        y, saved = self.children["right"].forward(x, run)
        return y, (x, saved)

    def backward(self, dy: np.ndarray, saved: Any) -> tuple[np.ndarray, Grads]:
        x, kept = saved
        dx, grads = self.change(x, dy, *self.children["right"].backward(dy, kept))
        return dx, {f"right.{name}": gradient for name, gradient in grads.items()}


class Each(Layer):
    """y = f(x), number by number;   dx = dy f'(x)."""

    def __init__(self, value: Callable[[np.ndarray], np.ndarray], slope: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__()
        self.value, self.slope = value, slope

    def forward(self, x: np.ndarray, run: Run) -> tuple[np.ndarray, Any]:
        return self.value(x), x

    def backward(self, dy: np.ndarray, saved: Any) -> tuple[np.ndarray, Grads]:
        return dy * self.slope(saved), {}


def right(rng: np.random.Generator) -> list[Entry]:
    """Among them a gradient that is truly 0, that of a bias before batch norm, and one of a very curved function."""
    options: dict[str, Any] = {"rng": rng, "dtype": "float64"}
    return scattered(rng, [
        ("dense with tanh", Dense(3, 4, Tanh(), **options), (5, 3)),
        ("convolution with stride 2", Conv2D(2, 3, 3, 2, **options), (2, 5, 4, 2)),
        ("max-pool", MaxPool(2), (2, 4, 4, 2)),
        ("a bias before batch norm", Chain(Dense(3, 2, **options), BatchNorm(2, dtype="float64")), (6, 3)),
        ("y = e^(500 x)", Each(lambda x: np.exp(500 * x), lambda x: 500 * np.exp(500 * x)), (1, 1)),
        ("y = x^2 / 10^9", Each(lambda x: TINY * x * x, lambda x: 2 * TINY * x), (2, 3))])


def wrong_products(rng: np.random.Generator) -> list[Entry]:
    """Mistakes in the backward of dense layers and convolutions."""
    options: dict[str, Any] = {"rng": rng, "dtype": "float64"}
    square, conv = Dense(3, 3, **options), Conv2D(2, 2, 3, **options)

    def not_rotated(x: np.ndarray, dy: np.ndarray, dx: np.ndarray, grads: Grads) -> tuple[np.ndarray, Grads]:
        flipped = copy(conv)
        flipped.params = {**conv.params, "W": conv.params["W"][::-1, ::-1]}
        return flipped.backward(dy, conv.forward(x, Run())[1])[0], grads

    def one_entry(x: np.ndarray, dy: np.ndarray, dx: np.ndarray, grads: Grads) -> tuple[np.ndarray, Grads]:
        dW = grads["W"].copy()
        dW[-1, -1] *= 2
        return dx, {**grads, "W": dW}

    return scattered(rng, [
        ("W not transposed", Wrong(square, lambda x, dy, dx, grads: (dy @ square.params["W"], grads)), (4, 3)),
        ("dW a mean over the samples", Wrong(Dense(3, 2, **options), lambda x, dy, dx, grads: (
            dx, {**grads, "W": grads["W"] / len(x)})), (4, 3)),
        ("one entry of dW", Wrong(Dense(3, 2, **options), one_entry), (4, 3)),
        ("dW a thousandth too large", Wrong(Dense(3, 2, **options), lambda x, dy, dx, grads: (
            dx, {**grads, "W": grads["W"] * 1.001})), (4, 3)),
        ("kernel not rotated", Wrong(conv, not_rotated), (2, 4, 5, 2)),
        ("dW mirrored", Wrong(Conv2D(1, 2, 3, **options), lambda x, dy, dx, grads: (
            dx, {**grads, "W": grads["W"][::-1, ::-1]})), (2, 4, 5, 1))])


def wrong_others(rng: np.random.Generator) -> list[Entry]:
    """Mistakes in the backward of batch norm, dropout, pooling and functions of one number."""
    def norm(mean: bool = True, variance: bool = True, epsilon: float = EPSILON) -> Layer:
        layer = BatchNorm(2, epsilon=EPSILON, dtype="float64")

        def change(x: np.ndarray, dy: np.ndarray, dx: np.ndarray, grads: Grads) -> tuple[np.ndarray, Grads]:
            centred, s = x - x.mean(axis=0), 1 / np.sqrt(x.var(axis=0) + epsilon)
            inner = dy - mean * dy.mean(axis=0) - variance * s * s * centred * (dy * centred).mean(axis=0)
            return layer.params["c1"] * s * inner, {**grads, "c1": s * (dy * centred).sum(axis=0)}

        return Wrong(layer, change)

    keep = 0.6
    return scattered(rng, [
        ("batch norm without the mean's term", norm(mean=False), (6, 2)),
        ("batch norm without the variance's term", norm(variance=False), (6, 2)),
        ("batch norm without epsilon", norm(epsilon=0.0), (6, 2)),
        ("dropout not rescaled", Wrong(Dropout(keep), lambda x, dy, dx, grads: (keep * dx, grads)), (5, 6)),
        ("max-pool to every pixel", Wrong(MaxPool(2), lambda x, dy, dx, grads: (
            dy.repeat(2, axis=1).repeat(2, axis=2), grads)), (1, 4, 4, 2)),
        ("the sign of tanh's gradient", Wrong(Tanh(), lambda x, dy, dx, grads: (-dx, grads)), (3, 4)),
        ("the gradient of x^2 / 10^9 doubled", Each(lambda x: TINY * x * x, lambda x: 4 * TINY * x), (2, 3))])


def scattered(rng: np.random.Generator, entries: list[Entry]) -> list[Entry]:
    for _, layer, _ in entries:
        scatter(layer, rng)
    return entries
