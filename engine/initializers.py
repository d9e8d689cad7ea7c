"""Xavier initialization: weights whose variance keeps activations and gradients at one scale through the layers.

In a linear layer a_j = sum_i W_ij x_i has fan_in independent, centred summands, so that activations keep their variance
from layer to layer, Var(a_i) = Var(a_j) (3.18), where

    Var(a) = fan_in Var(W) Var(x) = Var(x),         that is     fan_in Var(W) = 1.                  (3.20)-(3.23)

In its backward pass dx_i = sum_j W_ij da_j has fan_out summands, so that gradients keep theirs (3.19) where

    Var(dx) = fan_out Var(W) Var(da) = Var(da),     that is     fan_out Var(W) = 1.                 (3.24)-(3.29)

Both hold only if fan_in = fan_out; the compromise is their sum, (fan_in + fan_out) Var(W) = 2 (3.30):

    Var(W) = 2 / (fan_in + fan_out).                                                                (3.31)

A uniform distribution on [-r, r] has the variance r^2 / 3, hence

    r = sqrt(6) / sqrt(fan_in + fan_out).                                                           (3.32)

As printed, (3.25) and (3.26) mix two variances: that of the gradients of the weights, dW_ij = x_i da_j, which holds a
product over the layers before it as well, and that of the gradients of the activations, which condition (3.19) and its
result (3.27) are about, and which holds the product over the layers behind only. The second is meant.

Numbers are drawn in float64 and then rounded, so that networks of any dtype start from the same numbers.
"""
from __future__ import annotations

from math import prod, sqrt

import numpy as np
from numpy.random import Generator


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of dense weights [in, out] or a kernel [height, width, in, out]: kernel area x channels.

    Raises ValueError for a shape with fewer than two axes or with an empty one.
    """
    if len(shape) < 2:
        raise ValueError(f"weights of shape {shape} have no fans: expected [in, out] or [height, width, in, out]")
    if not all(isinstance(size, int | np.integer) and size > 0 for size in shape):
        raise ValueError(f"weights of shape {shape} were asked for; expected whole numbers of at least 1")
    *area, channels_in, channels_out = shape
    return prod(area) * channels_in, prod(area) * channels_out


def xavier_uniform(rng: Generator, shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    """Weights uniform on [-r, r], r = sqrt(6) / sqrt(fan_in + fan_out): (3.32)."""
    bound = sqrt(6 / sum(fans(shape)))
    _expect_generator(rng)
    _expect_dtype(dtype)
    return rng.uniform(-bound, bound, shape).astype(dtype)


def xavier_normal(rng: Generator, shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    """Weights normal with mean 0 and variance 2 / (fan_in + fan_out): (3.31), the form of A.3.3."""
    deviation = sqrt(2 / sum(fans(shape)))
    _expect_generator(rng)
    _expect_dtype(dtype)
    return rng.normal(0.0, deviation, shape).astype(dtype)


def constant(value: float, size: int, dtype: str = "float32") -> np.ndarray:
    """(size,) numbers, all `value`: biases, and the scale and shift of batch norm."""
    if not (isinstance(size, int | np.integer) and size > 0):
        raise ValueError(f"{size!r} channels or features were asked for; expected a whole number of at least 1")
    _expect_dtype(dtype)
    return np.full(size, value, dtype)


def _expect_generator(rng: Generator) -> None:
    if not isinstance(rng, Generator):
        seed = rng if isinstance(rng, int) else 0
        raise ValueError(f"rng is {rng!r}; expected a NumPy generator, rng=numpy.random.default_rng({seed}): one for "
                         "all layers, so that no two start from the same numbers")


def _expect_dtype(dtype: str) -> None:
    if str(np.dtype(dtype)) not in ("float32", "float64"):
        raise ValueError(f"dtype is {dtype!r}; expected 'float32', or 'float64' for gradient checks")
