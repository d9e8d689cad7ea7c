"""What the optimizers have in common."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, sqrt

import numpy as np
from array_api_compat import array_namespace

from engine.arrays import Array, copy_arrays, expect_each_once


class Optimizer:
    """What the three have in common: the parameters, an array beside each for everything remembered, the step count.

    clip_norm     gradients whose norm, over all parameters together, is larger are scaled down to it: G <- G c / |G|,
                  so that one steep batch cannot throw the weights away, and the direction stays
                  (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013)
    weight_decay  theta <- (1 - lambda w) theta before the step, for weights and kernels (two axes or more; biases and
                  batch norm's scale and shift only place the function and stay)

    Weight decay is the gradient w theta of the penalty w/2 |theta|^2. Inside the loss, Adam would divide it by
    sqrt(m2'), and weights with large gradients would hardly decay; kept apart, all decay alike. Adam with it is AdamW
    (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, Algorithm 2, with lambda as its
    schedule). For SGD both are the same.
    """

    remembers: tuple[str, ...] = ()

    def __init__(self, parameters: dict[str, Array], *, weight_decay: float = 0.0,
                 clip_norm: float | None = None) -> None:
        if not 0 <= weight_decay < inf:
            raise ValueError(f"weight_decay is {weight_decay}; expected a number of at least 0, 0.01 for example")
        if clip_norm is not None and not 0 < clip_norm < inf:
            raise ValueError(f"clip_norm is {clip_norm}; expected a number above 0, or None")
        expect_each_once(parameters.items())
        self.parameters = parameters
        self.weight_decay, self.clip_norm = weight_decay, clip_norm
        self.steps = 0
        limits = [array_namespace(array).finfo(array.dtype) for array in parameters.values()]
        self._largest = min((float(limit.max) for limit in limits), default=inf)
        self._room = min((float(limit.max) * float(limit.eps) / 8 for limit in limits), default=inf)
        self.memory = {name: {path: array_namespace(array).zeros_like(array) for path, array in parameters.items()}
                       for name in self.remembers}

    def step(self, grads: Mapping[str, Array], learning_rate: float) -> None:
        """Change every parameter, in place, by its gradient of the same path; other entries of grads are ignored.

        Raises ValueError, before anything is written, where a gradient is missing or has another shape, or the rate is
        negative, not finite, or so large that more than all of a weight would decay.
        """
        if not 0 <= learning_rate < inf:
            raise ValueError(f"the learning rate is {learning_rate}; expected a number of at least 0")
        if learning_rate * self.weight_decay > 1:
            raise ValueError(f"the learning rate {learning_rate} times weight_decay {self.weight_decay} is the share "
                             "of a weight that decays in a step; expected at most 1: lower one of them")
        for path, parameter in self.parameters.items():
            if path not in grads:
                raise ValueError(f"'{path}' has no gradient")
            if grads[path].shape != parameter.shape:
                raise ValueError(f"'{path}' is {tuple(parameter.shape)} and its gradient {tuple(grads[path].shape)}")
        shrink = self._shrink(grads)
        self.steps += 1
        for parameter in self.parameters.values():
            if self.weight_decay and parameter.ndim > 1:
                parameter[...] = parameter * (1 - learning_rate * self.weight_decay)
        self._update_all([grads[path] if shrink is None else grads[path] * shrink for path in self.parameters],
                         learning_rate)

    def may_overflow(self, norm: float, learning_rate: float) -> bool:
        """Whether a step may leave a parameter, or what is remembered, infinite. norm: of all gradients together.

        No array is looked at: half the distance between the largest float32 number and the one before it, 2^103, is
        too little to carry any float32 number over the end, since it is rounded off. So a step whose changes are all
        smaller (here by half, for the rounding of the norm) cannot overflow, whatever the parameters are. Nobody wants
        to make a step of that size.
        """
        clipped = norm if self.clip_norm is None else min(norm, self.clip_norm)
        return not self._largest_change(clipped, learning_rate) < self._room

    def _largest_change(self, norm: float, learning_rate: float) -> float:
        """A bound of every change of a parameter; infinite where what is remembered may overflow."""
        raise NotImplementedError

    def _shrink(self, grads: Mapping[str, Array]) -> float | None:
        """What the gradients are multiplied by; None where they stay."""
        if self.clip_norm is None:
            return None
        norm = gradient_norm([grads[path] for path in self.parameters])
        return self.clip_norm / norm if norm > self.clip_norm else None

    def _update_all(self, gradients: list[Array], learning_rate: float) -> None:
        """gradients: in the order of the parameters."""
        for (path, parameter), gradient in zip(self.parameters.items(), gradients, strict=True):
            self._update(parameter, gradient, learning_rate, *(arrays[path] for arrays in self.memory.values()))

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


def gradient_norm(gradients: Iterable[Array]) -> float:
    """The square root of the sum of all squares, in float64: the same bits on any number of threads."""
    squares = []
    for g in gradients:
        xp = array_namespace(g)
        double = xp.astype(g, xp.float64)
        squares.append(xp.sum(double * double))
    return sqrt(float(array_namespace(squares[0]).sum(array_namespace(squares[0]).stack(squares)))) if squares else 0.0
