"""Moving one array of a layer a little, and watching what forward does."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from engine.gradient_check.difference import EPSILON, LEAST_NOISE, MOST_NOISE, last_bit
from engine.layer import Layer, Run
from engine.observing import observe

Pieces = dict[tuple[str, str, int], np.ndarray]


@dataclass(frozen=True)
class Crossing:
    """A layer in which the perturbation crossed a kink: its path and type, and how many of its places did."""
    path: str
    type: str
    places: int

    def __str__(self) -> str:
        where = f"layer '{self.path}' ({self.type})" if self.path else self.type
        return f"{where}, {self.places} place{'s' if self.places > 1 else ''}"


@dataclass(frozen=True)
class Difference:
    """y at x + h v and at x - h v, and the kinks in between."""
    above: np.ndarray
    below: np.ndarray
    crossings: list[Crossing]


@contextmanager
def moved(arrays: list[np.ndarray], directions: list[np.ndarray], step: float) -> Iterator[None]:
    """Inside: array + step direction, in place (so that whoever holds the array sees it). After: the old bits."""
    originals = [array.copy() for array in arrays]
    try:
        for array, original, direction in zip(arrays, originals, directions, strict=True):
            array[...] = original + step * direction
        yield
    finally:
        for array, original in zip(arrays, originals, strict=True):
            array[...] = original


class Probe:
    """Forward passes of a layer near one point, each with the smooth piece that every layer inside lies on."""

    def __init__(self, layer: Layer, x: np.ndarray, run: Run) -> None:
        self.x, self.run = x, replace(run, record=False)
        self._pieces: Pieces = {}
        self._watched = observe(layer, self._see)
        self.y, self.pieces = self.value()

    def _see(self, path: str, layer: Layer, x: np.ndarray, y: np.ndarray) -> None:
        piece = layer.piece(x, y)
        if piece is not None:
            self._pieces[path, type(layer).__name__, len(self._pieces)] = np.array(piece)

    def value(self) -> tuple[np.ndarray, Pieces]:
        """y and the pieces, where the arrays are now."""
        self._pieces = {}
        y, _ = self._watched.forward(self.x, self.run)
        return np.array(y), self._pieces  # a copy: y may be x itself

    def difference(self, arrays: list[np.ndarray], directions: list[np.ndarray], step: float) -> Difference:
        """Both sides of the point along the directions."""
        with moved(arrays, directions, step):
            above, pieces_above = self.value()
        with moved(arrays, directions, -step):
            below, pieces_below = self.value()
        crossings = []
        for key, here in self.pieces.items():
            changed = (pieces_above[key] != here) | (pieces_below[key] != here)
            if changed.any():
                crossings.append(Crossing(*key[:2], int(changed.sum())))
        return Difference(above, below, crossings)

    def noise(self, dy: np.ndarray, rng: np.random.Generator) -> float:
        """The roundoff of <dy, y>, measured: four times its largest change when x moves by its last bits."""
        changes = []
        for _ in range(3):
            with moved([self.x], [rng.choice([-2.0, 2.0], self.x.shape) * self.x], EPSILON):
                changes.append(abs(float(np.vdot(dy, self.value()[0] - self.y))))
        bit = last_bit(dy, self.y)
        return float(np.clip(4 * max(changes), LEAST_NOISE * bit, MOST_NOISE * bit))

    def kink_distance(self, arrays: list[np.ndarray], directions: list[np.ndarray], step: float) -> float:
        """How far along the directions the nearest kink is, to a thousandth of the step, which must cross one."""
        clear, crossed = 0.0, step
        for _ in range(10):
            middle = (clear + crossed) / 2
            if self.difference(arrays, directions, middle).crossings:
                crossed = middle
            else:
                clear = middle
        return clear


def advice(crossings: list[Crossing], distance: float, step: float) -> str:
    """Which layers a perturbation bent, how near the kink is, and what to do."""
    near = f"{distance:.1e} away along this direction" if distance else "at this very point, or too near to tell"
    shown = "; ".join(str(crossing) for crossing in crossings[:3]) + ("; ..." if len(crossings) > 3 else "")
    return (f"kink {near}, within the step {step:.0e}: {shown}. The difference says nothing here: take another x "
            "(distinct values, none at a kink)" + ("" if distance else ", or check_subgradient at a tie"))
