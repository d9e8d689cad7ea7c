"""From logits z to probabilities p = sigmoid(z) = 1 / (1 + exp(-z))."""
from __future__ import annotations

from functools import partial

from engine.arrays import Array
from engine.kernels import sigmoids
from engine.losses.pair import Loss
from engine.preconditions import expect_floating
from engine.reduction import Reduction


def from_logits(loss: Loss) -> Loss:
    """The loss on logits z that a loss on probabilities p = sigmoid(z) makes:

    dl/dz = dl/dp dp/dz = dl/dp sigmoid(z) sigmoid(-z)
    """
    return partial(_on_logits, loss)  # which can be pickled, as the loss can


def _on_logits(loss: Loss, logits: Array, target: Array, **reduction: Reduction) -> tuple[Array, Array]:
    expect_floating("the prediction", logits)
    p, q = sigmoids(logits)
    value, gradient = loss(p, target, **reduction)
    return value, gradient * p * q
