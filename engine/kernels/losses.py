"""The sums over a whole batch that losses are made of, and the gradients that go with them: definitions.

They run on any array library and read like the formulas; what is done with the results, engine.losses says.
"""
from __future__ import annotations

from functools import singledispatch

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels.complex_step import real
from engine.kernels.floating import of_floating


@of_floating(1)
@singledispatch
def sigmoids(z: Array) -> tuple[Array, Array]:
    """sigmoid(z) and sigmoid(-z) = 1 - sigmoid(z), each to full relative precision: only exp(-|z|) <= 1 is computed."""
    xp = array_namespace(z)
    negative = real(z) < 0
    e = xp.exp(xp.where(negative, z, -z))
    return xp.where(negative, e, xp.ones_like(e)) / (1 + e), xp.where(negative, xp.ones_like(e), e) / (1 + e)


def softplus(z: Array) -> tuple[Array, Array]:
    """ln(1 + exp(z)) = -ln sigmoid(-z) and ln(1 + exp(-z)) = -ln sigmoid(z), each to full relative precision."""
    xp = array_namespace(z)
    negative = real(z) < 0
    rest = xp.log1p(xp.exp(xp.where(negative, z, -z)))
    zero = xp.zeros_like(z)
    return xp.where(negative, zero, z) + rest, xp.where(negative, -z, zero) + rest


@of_floating(2)
@singledispatch
def logistic_loss(z: Array, y: Array, omega: float) -> tuple[Array, Array]:
    """Sum of omega y ln(1 + exp(-z)) + (1 - y) ln(1 + exp(z)), and its gradient for z. z, y: of one shape."""
    minus_log_q, minus_log_p = softplus(z)
    p, q = sigmoids(z)
    return array_namespace(z).sum(omega * y * minus_log_p + (1 - y) * minus_log_q), (1 - y) * p - omega * y * q


@of_floating(2)
@singledispatch
def softmax_loss(z: Array, y: Array) -> tuple[Array, Array]:
    """Sum of -y ln p, p = softmax of z along the last axis, and its gradient p sum_k y_k - y for z. z, y: (..., K).

    The largest z is subtracted first: it cancels, and no exponential overflows.
    """
    xp = array_namespace(z)
    shifted = z - xp.max(real(z), axis=-1, keepdims=True)
    e = xp.exp(shifted)
    total = xp.sum(e, axis=-1, keepdims=True)
    return -xp.sum(y * (shifted - xp.log(total))), e / total * xp.sum(y, axis=-1, keepdims=True) - y


@of_floating(2)
@singledispatch
def overlap_sums(p: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Sums of p y, p + y, (1-p) (1-y) and (1-p) + (1-y): what a prediction and a mask share, and how large both are."""
    xp = array_namespace(p)
    return xp.sum(p * y), xp.sum(p + y), xp.sum((1 - p) * (1 - y)), xp.sum((1 - p) + (1 - y))


@of_floating(2)
@singledispatch
def error_sums(p: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Sums of (y - p)^2 y, y, (y - p)^2 (1-y), 1-y: the squared error on a mask and beside it, and both sizes."""
    xp = array_namespace(p)
    squares = (y - p) * (y - p)
    return xp.sum(squares * y), xp.sum(y), xp.sum(squares * (1 - y)), xp.sum(1 - y)
