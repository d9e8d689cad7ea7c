"""Forward and backward, several times over: what one call must not do to another, nor to the arrays it is given."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.gradient_check.fingerprint import fingerprint, layers_within
from engine.layer import Grads, Layer, Run


@dataclass
class Analytic:
    """The output, the random dy, what backward made of it, and what was wrong (nothing, for a sound layer).

    gradients  dx under the name "x", those of the parameters, and what backward measured for `absorb`; empty where
               there is nothing to compare: a pass raised an error, wrote to an array, or does not answer the same twice
    """
    y: np.ndarray = field(default_factory=lambda: np.zeros(0))
    dy: np.ndarray = field(default_factory=lambda: np.zeros(0))
    gradients: Grads = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def upstream(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """dy of the analytic pass, in the shape of y; what it is never, and why, `analytic` says."""
    return np.asarray(rng.standard_normal(y.shape))


def read_only_pass(found: Analytic, layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator,
                    arrays: dict[str, np.ndarray]) -> bool:
    """On arrays that cannot be written to, each call repeated after one with other numbers. Whether it went through."""
    other_x = np.asanyarray(0.999 * np.flip(x, tuple(range(x.ndim - 1))))
    doing = "forward"
    try:
        with _read_only([*arrays.values(), other_x]):
            y, saved = layer.forward(x, run)
            found.y, kept = np.array(y), fingerprint(saved)
            found.dy = upstream(found.y, rng).view(type(x))
            for record in (True, False):
                layer.forward(other_x, replace(run, record=record))
            _same(found, "the next forward overwrites y: answer with an array of its own", found.y, y)
            if fingerprint(saved) != kept:
                found.problems.append("the next forward overwrites `saved`: keep arrays of this call's own")
                y, saved = layer.forward(x, run)
                kept = fingerprint(saved)
            repeated = _same(found, "forward twice gives other outputs: randomness that is not the run's seed, or kept "
                             "state", found.y, layer.forward(x, run)[0])
            _same(found, "forward with record=False gives other outputs",
                  found.y, layer.forward(x, replace(run, record=False))[0])
            doing = "backward"
            with _read_only([found.dy, other_dy := np.asanyarray(-found.dy)]):
                gradients = _backward(layer, found.dy, saved)
                found.gradients = {name: np.array(gradient) for name, gradient in gradients.items()}
                if fingerprint(saved) != kept:
                    found.problems.append("backward changed `saved`: copy what it writes to")
                    return repeated
                _backward(layer, other_dy, saved)
                for name, gradient in found.gradients.items():
                    _same(found, f"the next backward overwrites the gradient of '{name}': answer with an array of its "
                          "own", gradient, gradients[name])
                again = _backward(layer, found.dy, saved)
                for name in gradients.keys() & again.keys():
                    _same(found, f"backward twice gives another gradient of '{name}'", found.gradients[name],
                          again[name])
                if not found.problems:  # of an impure backward it would say nothing new
                    doing = "last_gradients"
                    _last_gradients(found, layer, saved)
                    if fingerprint(saved) != kept:
                        found.problems.append("last_gradients changed `saved`: copy what it writes to")
                return repeated
    except Exception as error:
        about = "wrote to x, dy, a parameter or a buffer" if "read-only" in str(error) else (
            f"raised {type(error).__name__}")
        found.problems.append(f"{doing} {about}: {error}")
        return False


def free_pass(found: Analytic, layer: Layer, x: np.ndarray, run: Run, arrays: dict[str, np.ndarray]) -> bool:
    """The same on arrays that can be written to, which code that asks `flags.writeable` does only here."""
    dy = found.dy.copy()
    try:
        unrecorded = layer.forward(x, replace(run, record=False))[0]
        _same(found, "forward gives other outputs where arrays can be written to", found.y, unrecorded)
        y, saved = layer.forward(x, run)
        _same(found, "forward gives other outputs where arrays can be written to", found.y, y)
        for name, gradient in _backward(layer, dy, saved).items():
            if name in found.gradients:
                _same(found, f"backward gives another gradient of '{name}' where arrays can be written to",
                      found.gradients[name], gradient)
    except Exception as error:
        found.problems.append(f"where arrays can be written to, a pass raised {type(error).__name__}: {error}")
        return False
    return _same(found, "backward wrote to dy: it may not write to its arguments", found.dy, dy)


def _backward(layer: Layer, dy: np.ndarray, saved: Any) -> Grads:
    dx, grads = layer.backward(dy, saved)
    return {"x": dx, **grads}


def _last_gradients(found: Analytic, layer: Layer, saved: Any) -> None:
    """Those of backward but for dx: the same names, and the same bits."""
    last = layer.last_gradients(found.dy, saved)
    if other := last.keys() ^ (found.gradients.keys() - {"x"}):
        found.problems.append(f"of last_gradients and backward only one gives '{min(other)}'")
    for name in last.keys() & found.gradients.keys():
        _same(found, f"last_gradients gives another gradient of '{name}' than backward", found.gradients[name],
              last[name])


def _same(found: Analytic, problem: str, first: np.ndarray, second: np.ndarray) -> bool:
    if fingerprint(np.asarray(first)) == fingerprint(np.asarray(second)):
        return True
    if problem not in found.problems:
        found.problems.append(problem)
    return False


@contextmanager
def restored(layer: Layer, arrays: dict[str, np.ndarray]) -> Iterator[list[str]]:
    """After: the arrays that the layer had, with the old bits, and the names of those that were written to or replaced.

    arrays: x and all that the layer has, by name.
    """
    originals = {name: array.copy() for name, array in arrays.items()}
    held = [(own, dict(own)) for _, one in layers_within(layer) for own in (one.params, one.buffers)]
    written: list[str] = []
    try:
        yield written
    finally:
        there = {id(array) for own, _ in held for array in own.values()}
        for own, before in held:
            own.clear()
            own.update(before)
        for name, array in arrays.items():
            if array.tobytes() != originals[name].tobytes():
                array[...] = originals[name]
                written.append(name)
            elif name != "x" and id(array) not in there:
                written.append(name)


@contextmanager
def _read_only(arrays: list[np.ndarray]) -> Iterator[None]:
    """Inside, writing to one of the arrays raises ValueError."""
    try:
        for array in arrays:
            array.flags.writeable = False
        yield
    finally:
        for array in arrays:
            array.flags.writeable = True
