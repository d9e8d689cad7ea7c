"""From logits z to probabilities p = sigmoid(z) = 1 / (1 + exp(-z)), without overflow at either end."""
from __future__ import annotations

from array_api_compat import array_namespace

from engine.arrays import Array
from engine.kernels import real
from engine.losses.pair import Loss
from engine.preconditions import expect_floating


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


def from_logits(loss: Loss) -> Loss:
    """The loss on logits z that a loss on probabilities p = sigmoid(z) makes:

    dl/dz = dl/dp dp/dz = dl/dp sigmoid(z) sigmoid(-z)
    """
    def loss_on_logits(logits: Array, target: Array) -> tuple[Array, Array]:
        expect_floating("the prediction", logits)
        p, q = sigmoids(logits)
        value, gradient = loss(p, target)
        return value, gradient * p * q

    return loss_on_logits
