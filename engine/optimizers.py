"""Gradient descent: SGD, Momentum, Adam, and the decay of the learning rate.

An optimizer is made of the parameters that it trains, network.parameters(), and writes into those arrays; so a network
is moved to its device before its optimizer is made. What it remembers stands in arrays of the same paths and shapes.
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from array_api_compat import array_namespace

from engine.kernels import adam_update
from engine.layer import Array, copy_arrays


class Optimizer:
    """What the three have in common: the parameters, an array beside each for everything remembered, the step count."""

    remembers: tuple[str, ...] = ()

    def __init__(self, parameters: dict[str, Array]) -> None:
        self.parameters = parameters
        self.steps = 0
        self.memory = {name: {path: array_namespace(array).zeros_like(array) for path, array in parameters.items()}
                       for name in self.remembers}

    def step(self, grads: Mapping[str, Array], learning_rate: float) -> None:
        """Change every parameter, in place, by its gradient of the same path; other entries of grads are ignored.

        Raises ValueError, before anything is written, where a gradient is missing or has another shape.
        """
        for path, parameter in self.parameters.items():
            if path not in grads:
                raise ValueError(f"'{path}' has no gradient")
            if grads[path].shape != parameter.shape:
                raise ValueError(f"'{path}' is {tuple(parameter.shape)} and its gradient {tuple(grads[path].shape)}")
        self.steps += 1
        for path, parameter in self.parameters.items():
            self._update(parameter, grads[path], learning_rate, *(arrays[path] for arrays in self.memory.values()))

    def _update(self, parameter: Array, gradient: Array, learning_rate: float, *memory: Array) -> None:
        raise NotImplementedError

    def state(self) -> dict[str, Array]:
        """Everything remembered, by name and path ("m1.3.conv.W"), and the number of "steps". Arrays are not copied."""
        return {"steps": np.asarray(self.steps)} | {
            f"{name}.{path}": array for name, arrays in self.memory.items() for path, array in arrays.items()}

    def load(self, state: Mapping[str, Array]) -> None:
        """Copy in a state of the same kind of optimizer for the same parameters: from here on both take the same steps.

        Raises ValueError, before anything is written, where a name or a shape differs.
        """
        own = self.state()
        copy_arrays(own, state, f"this {type(self).__name__}")
        self.steps = int(own["steps"])


class SGD(Optimizer):
    """theta <- theta - lambda G                                            (3.14), the batch's mean gradient G

    Printed, here and in (3.13), is +: that climbs. (3.15) subtracts.
    """

    def _update(self, parameter, gradient, learning_rate):
        parameter[...] = parameter - learning_rate * gradient


class Momentum(Optimizer):
    """v <- mu v - lambda G                                                 (3.15)
    theta <- theta + v                                                      (3.16)
    """

    remembers = ("velocity",)

    def __init__(self, parameters: dict[str, Array], mu: float = 0.9) -> None:
        super().__init__(parameters)
        self.mu = mu

    def _update(self, parameter, gradient, learning_rate, velocity):
        velocity[...] = self.mu * velocity - learning_rate * gradient
        parameter[...] = parameter + velocity


class Adam(Optimizer):
    """Algorithm 3, corrected: moving averages m1 of G and m2 of G^2, each divided by the sum of its weights so far.

    m1 <- beta1 m1 + (1 - beta1) G
    m2 <- beta2 m2 + (1 - beta2) G^2                        printed is (2 - beta2)
    theta <- theta - lambda m1' / (sqrt(m2') + epsilon),    m1' = m1 / (1 - beta1^t),  m2' = m2 / (1 - beta2^t)

    The weights (1 - beta) beta^(t-s) of G(s) add up to 1 - beta^t, which is why the correction divides by it. With
    (2 - beta2) they would add up to about 1000 times that, and every step would be sqrt(1001) = 32 times too short.
    """

    remembers = ("m1", "m2")

    def __init__(self, parameters: dict[str, Array], beta1: float = 0.9, beta2: float = 0.999,
                 epsilon: float = 1e-8) -> None:
        super().__init__(parameters)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def _update(self, parameter, gradient, learning_rate, m1, m2):
        adam_update(parameter, gradient, m1, m2, self.steps, learning_rate, self.beta1, self.beta2, self.epsilon)


def exponential_decay(initial: float, rate: float, step: float, steps_per_epoch: int) -> float:
    """initial rate^(step / steps_per_epoch): (3.17), falling a little with every step, not once an epoch."""
    return initial * rate ** (step / steps_per_epoch)
