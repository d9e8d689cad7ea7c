"""A loss as a layer, so that it can be checked alone and at the end of a network."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.layer import Grads, Layer, Run

LossFunction = Callable[[Array, Array], tuple[Array, Array]]


class Loss(Layer):
    """y = loss(x, target): a single number;   dx = dy times the loss's gradient.

    loss: (prediction, target) -> value, gradient w.r.t. the prediction. x: the prediction, in the shape of the target.
    """

    def __init__(self, loss: LossFunction, target: Array) -> None:
        super().__init__()
        self.loss, self.target = loss, target

    def forward(self, x: Array, run: Run) -> tuple[Array, Any]:
        value, gradient = self.loss(x, self.target)
        return np.asarray(value), gradient

    def backward(self, dy: Array, saved: Any) -> tuple[Array, Grads]:
        return dy * saved, {}
