"""Moving averages: what backward measures beside the gradients, and what `absorb` makes of it.

The contract, for any layer with buffers: inference with the averages that `absorb` leaves gives what training gave for
the batch. After it was absorbed once, where training's output depends on the averages: it normalizes by averages that
include the batch. After it was absorbed without end, where training's output does not: it normalizes by the batch,
which the averages come to by and by. So the moments that backward hands out are those that training used; and `absorb`
takes them in once, by the part 1 - alpha that a layer with an attribute `alpha` declares, or else by any one part. A
pass of inference leaves nothing to take in.
"""
from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array
from engine.gradient_check.difference import SAME, apart
from engine.gradient_check.fingerprint import fingerprint, layers_within
from engine.gradient_check.passes import Analytic
from engine.gradient_check.result import Result
from engine.layer import Grads, Layer, Run
from engine.observing import observe


@dataclass(frozen=True)
class Unit:
    """A layer with buffers at its place in the network: its path with a dot, and what went in and came out."""
    prefix: str
    layer: Layer
    x: Array
    y: Array


def averages(name: str, layer: Layer, x: np.ndarray, run: Run, found: Analytic) -> list[Result]:
    """A row for every buffer; none where the analytic pass left nothing to go by."""
    buffers = layer.moving_averages()
    if not buffers or not found.gradients:
        return []
    measured = {path: g for path, g in found.gradients.items() if path != "x"}
    if problem := _absorbs_only(layer, measured):
        found.problems.append(problem)
    absorbed = _after(layer, measured).moving_averages()
    if not run.train:
        return [_row(name, path, [(apart(absorbed[path], average),
                                   "absorb moves this average after a pass of inference, which measures nothing")])
                for path, average in buffers.items()]
    return [_row(name, path, faults) for unit in _units(layer, x, run, found)
            for path, faults in _faults(unit, measured, absorbed, run).items()]


def _faults(unit: Unit, measured: Grads, absorbed: Grads, run: Run) -> dict[str, list[tuple[float, str]]]:
    """For each buffer of the unit, how far off is what."""
    own = {path.removeprefix(unit.prefix): g for path, g in measured.items() if path.startswith(unit.prefix)}
    start, parts = unit.layer.moving_averages(), _declared(unit.layer)
    limit = deepcopy(unit.layer)
    for path, average in limit.moving_averages().items():
        average[...] = own.get(path, average)
    once = _after(unit.layer, own)
    twice = _after(once, own)
    moving = _depends_on_averages(unit, run)
    with np.errstate(all="ignore"):  # of a variance below 0, which wrong moments may be; the gap is then not a number
        inferred, _ = (once if moving else limit).forward(unit.x, replace(run, train=False, record=False))
    gap = apart(inferred, unit.y)
    training = (f"inference after this batch was absorbed {'once' if moving else 'without end'} is not what training "
                "gave: the moments that backward hands out are not those that training normalizes by")
    faults = {}
    for path, goal in limit.moving_averages().items():
        first, second = once.moving_averages()[path], twice.moving_averages()[path]
        part = parts[path] if path in parts else _part(start[path], first, goal)
        declared = f"the declared part 1 - alpha = {part:.6g}" if path in parts else "one part, the same each time"
        missing = "" if path in own else " (backward hands out none for this buffer)"
        faults[f"{unit.prefix}{path}"] = [
            (gap, training + missing),
            (max(apart(first, start[path] + part * (goal - start[path])), apart(second, first + part * (goal - first))),
             f"absorb does not move the average towards the batch's moments by {declared}"),
            (apart(absorbed[unit.prefix + path], first), "absorb of the whole does not do what this layer's own does")]
    return faults


def _depends_on_averages(unit: Unit, run: Run) -> bool:
    twin, run = deepcopy(unit.layer), replace(run, record=False)
    for average in twin.moving_averages().values():
        average[...] = 1.1 * average + 0.1
    return apart(twin.forward(unit.x, run)[0], unit.layer.forward(unit.x, run)[0]) > SAME


def _row(name: str, path: str, faults: list[tuple[float, str]]) -> Result:
    error, message = max(faults, key=lambda fault: (not fault[0] <= SAME, fault[0]))
    passed = error <= SAME
    return Result(name, path, error if np.isfinite(error) else float("inf"), passed,
                  "" if passed else f"{message}; off by {error:.1e}")


def _units(layer: Layer, x: np.ndarray, run: Run, found: Analytic) -> list[Unit]:
    """Every layer with buffers that goes through its layers in the open; the whole, for buffers that no other has."""
    units: list[Unit] = []

    def see(path: str, inner: Layer, x: Array, y: Array) -> None:
        if inner.buffers:
            units.append(Unit(f"{path}." if path else "", inner, x, y))

    observe(layer, see).forward(x, replace(run, record=False))
    reached = {unit.prefix + path for unit in units for path in unit.layer.buffers}
    return units if reached == layer.moving_averages().keys() else [Unit("", layer, x, found.y)]


def _after(layer: Layer, measured: Grads) -> Layer:
    """A copy that has absorbed."""
    twin = deepcopy(layer)
    twin.absorb({path: np.array(g) for path, g in measured.items()})
    return twin


def _absorbs_only(layer: Layer, measured: Grads) -> str:
    twin, given = deepcopy(layer), {path: np.array(g) for path, g in measured.items()}
    before = fingerprint(twin.parameters())
    twin.absorb(given)
    if fingerprint(twin.parameters()) != before:
        return "absorb changed a parameter: that is the optimizer's to do"
    return "absorb wrote to what it was given" if fingerprint(given) != fingerprint(dict(measured)) else ""


def _declared(layer: Layer) -> dict[str, float]:
    """1 - alpha by path, for the buffers of the layers that have an alpha."""
    return {f"{path}.{name}".lstrip("."): 1 - alpha for path, one in layers_within(layer) for name in one.buffers
            if isinstance(alpha := getattr(one, "alpha", None), float)}


def _part(start: np.ndarray, first: np.ndarray, goal: np.ndarray) -> float:
    """The part of the way from start to goal that was gone, clipped to [0, 1]."""
    way = goal - start
    return float(np.clip(np.vdot(way, first - start) / (np.vdot(way, way) or 1.0), 0, 1))
