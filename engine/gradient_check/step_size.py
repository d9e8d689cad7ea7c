"""The error of the central difference as a function of the step: the shape of the curve tells right from wrong."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.gradient_check.difference import TOLERANCE
from engine.gradient_check.protocol import begin, unit
from engine.layer import Layer, Run

STEPS = np.logspace(-1, -11, 21)


@dataclass(frozen=True)
class Sweep:
    """The curve of one case, over x and all parameters moved together.

    errors   |numeric - exact| / max of the two, without allowance for roundoff, for every one of STEPS
    kinked   whether the step crossed a kink (such points do not count), told by `piece` or by the slopes on its sides
    falling  slope of log error over log step where truncation rules: 2 for a right gradient; None for a function
             without third derivative or whose kinks leave no such steps
    rising   slope where roundoff rules: -1 for a right gradient; None where there are no such steps
    """
    name: str
    errors: np.ndarray
    kinked: np.ndarray
    falling: float | None
    rising: float | None
    judgement: str

    @property
    def right(self) -> bool:
        """Whether the curve is that of a right gradient."""
        return self.judgement.startswith("right")


def sweep(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator, name: str = "") -> Sweep:
    """The error at steps from 1e-1 to 1e-11, and what its curve says.

    A right gradient's error falls as h^2 (truncation), then rises as 1/h (roundoff): a V. A wrong one's stays: flat.
    Raises ValueError as `check`, and where backward gives nothing to compare.
    """
    rows, comparer = begin(layer, x, run, rng, name)
    if comparer is None:
        raise ValueError(f"{rows[0].name}: no gradient to compare: {rows[0].message}")
    paths, arrays = zip(*comparer.arrays(layer, x), strict=True)
    directions = [unit(rng, array.shape) for array in arrays]
    found, probe = comparer.found, comparer.probe
    exact = float(sum(np.vdot(found.gradients[path], v) for path, v in zip(paths, directions, strict=True)))
    errors, bends, kinked = np.zeros(len(STEPS)), np.zeros(len(STEPS)), np.zeros(len(STEPS), bool)
    for k, step in enumerate(STEPS):
        difference = probe.difference(list(arrays), directions, step)
        numeric = float(np.vdot(found.dy, difference.above - difference.below)) / (2 * step)
        errors[k] = abs(numeric - exact) / (max(abs(numeric), abs(exact)) or 1.0)
        bends[k] = abs(float(np.vdot(found.dy, difference.above - 2 * probe.y + difference.below))) / (2 * step)
        bends[k] /= max(abs(numeric), abs(exact)) or 1.0
        kinked[k] = bool(difference.crossings)
    noise = comparer.noise / STEPS / (abs(exact) or 1.0)
    curve = Sweep(comparer.name, errors, kinked, *_judge(errors, kinked, noise))
    if not curve.right and (bent := kinked | _bent(errors, bends, noise)).sum() > kinked.sum():
        curve = Sweep(comparer.name, errors, bent, *_judge(errors, bent, noise))
    return curve


def _bent(errors: np.ndarray, bends: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The steps that cross a kink of which no layer's `piece` tells.

    Half the difference between the slopes on the two sides, the bend, is all of the error where backward gives the
    slope of one side of a kink. (It is more than all of a smooth function's truncation, which is left out with it.)
    Larger steps cross the kink as well.
    """
    bent = np.flatnonzero((errors > 10 * noise) & (errors <= 1.01 * bends))
    return np.arange(len(STEPS)) <= (bent[-1] if len(bent) else -1)


def _judge(errors: np.ndarray, kinked: np.ndarray, noise: np.ndarray) -> tuple[float | None, float | None, str]:
    """(falling, rising, judgement)."""
    clear = ~kinked
    if not clear.any():
        return None, None, "undecided: every step crosses a kink; take another x"
    best = errors[clear].min()
    above_noise = clear & (errors > 10 * noise)
    tail = np.flatnonzero(above_noise)[-5:]
    flat, level = _slope(tail, errors), float(np.median(errors[tail])) if len(tail) else 0.0
    if flat is not None and abs(flat) < 0.3 and level > TOLERANCE:  # also where truncation once happens to cancel it
        return None, None, f"wrong: flat at {level:.0e}"
    if best > TOLERANCE:
        return None, None, f"undecided: never below {best:.0e}, and not flat"
    # at large steps the error is not its leading term (past 0.1, or where kinks that nobody tells of are crossed), near
    # the bottom of the V both terms mix: what most neighbours between them do is the slope
    lowest = np.flatnonzero(clear & (errors == best))[0]
    larger, smaller = np.arange(len(STEPS)) < lowest, np.arange(len(STEPS)) > lowest
    falling = _local_slope(np.flatnonzero(above_noise & larger & (errors < 0.1) & (errors > 10 * best)), errors)
    rising = _slope(np.flatnonzero(clear & smaller & (errors > 0)), errors)
    if falling is not None and not 1.5 < falling < 2.5:
        return falling, rising, f"undecided: falls with slope {falling:.1f}, expected 2"
    fall = "no truncation seen" if falling is None else f"falls with slope {falling:.1f}"
    return falling, rising, f"right: {fall}" + ("" if rising is None else f", rises with slope {rising:.1f}")


def _slope(points: np.ndarray, errors: np.ndarray) -> float | None:
    if len(points) < 3:
        return None
    return float(np.polyfit(np.log10(STEPS[points]), np.log10(errors[points]), 1)[0])


def _local_slope(points: np.ndarray, errors: np.ndarray) -> float | None:
    if len(points) < 3:
        return None
    return float(np.median(np.diff(np.log10(errors[points])) / np.diff(np.log10(STEPS[points]))))
