"""Gradient descent, and with momentum."""
from __future__ import annotations

from engine.arrays import Array
from engine.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """theta <- theta - lambda G                                               (3.14)

    G is the mean gradient of the batch. Printed, here and in (3.13), is +: that climbs. (3.15) subtracts.
    """

    def _update(self, parameter: Array, gradient: Array, learning_rate: float, *memory: Array) -> None:
        parameter[...] = parameter - learning_rate * gradient

    def _largest_change(self, norm: float, learning_rate: float) -> float:
        return learning_rate * norm


class Momentum(Optimizer):
    """v <- mu v - lambda G                                                 (3.15)
    theta <- theta + v                                                      (3.16)
    """

    remembers = ("velocity",)

    def __init__(self, parameters: dict[str, Array], mu: float = 0.9, *, weight_decay: float = 0.0,
                 clip_norm: float | None = None) -> None:
        super().__init__(parameters, weight_decay=weight_decay, clip_norm=clip_norm)
        if not 0 <= mu < 1:
            raise ValueError(f"mu is {mu}; expected a number in [0, 1)")
        self.mu = mu

    def _update(self, parameter: Array, gradient: Array, learning_rate: float, *memory: Array) -> None:
        velocity, = memory
        velocity[...] = self.mu * velocity - learning_rate * gradient
        parameter[...] = parameter + velocity

    def _largest_change(self, norm: float, learning_rate: float) -> float:
        return learning_rate * norm / (1 - self.mu)  # if no step so far exceeded it, v = sum of mu^k lambda G does not
