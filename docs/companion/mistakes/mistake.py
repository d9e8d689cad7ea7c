"""What a mistake of the gallery is: a wrong backward, its right twin, and a check that is too weak to see it."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.mistakes.training import Trained
from engine.gradient_check import Result, Sweep, check, check_subgradient, distinct, sweep
from engine.layer import Layer, Run

Kind = Any  # the class of a layer or the function of a loss: the right one, or the wrong one in its place


@dataclass(frozen=True)
class Weak:
    """A check that could be taken for a gradient check.

    what        how it looks: "a check ..."
    error       the error that it measures of a kind
    tolerance   up to which it lets pass
    """
    what: str
    error: Callable[[Kind], float]
    tolerance: float = 1e-6

    def passes(self, kind: Kind) -> bool:
        return self.error(kind) <= self.tolerance


@dataclass(frozen=True)
class Mistake:
    """One of the gallery.

    name          for links
    right, wrong  of one kind; make, weak and the training take either
    make          the layer that is checked, in float64
    shape, span   of its x, and between which numbers x lies
    rows          the arrays whose gradient is wrong
    weak          a check that lets it pass
    task, part    the training in which it takes part, and as what
    tied          whether it is wrong only where numbers are equal, so that `check_subgradient` must be asked
    """
    name: str
    right: Kind
    wrong: Kind
    make: Callable[[Kind], Layer]
    shape: tuple[int, ...]
    rows: frozenset[str]
    weak: Weak
    task: Callable[..., Trained]
    part: str
    span: tuple[float, float] = (-1.0, 1.0)
    tied: bool = False

    def results(self, kind: Kind) -> list[Result]:
        """The rows of the engine's `check`, at a tie the one of `check_subgradient`."""
        layer, x, rng = self.make(kind), self._distinct(), np.random.default_rng(4)
        if self.tied:  # the four pixels of each window alike
            return [check_subgradient(layer, x[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2), Run(), rng)]
        return check(layer, x, Run(), rng)

    def curve(self, kind: Kind) -> Sweep:
        """The error over the step size, away from ties."""
        return sweep(self.make(kind), self._distinct(), Run(), np.random.default_rng(4))

    def trained(self, kind: Kind) -> Trained:
        """What the training comes to. The right kind is the one that the task takes by itself."""
        return self.task() if kind is self.right else self.task(**{self.part: kind})

    def _distinct(self) -> np.ndarray:
        low, high = self.span
        return distinct(np.random.default_rng(3), *self.shape, low=low, high=high)
