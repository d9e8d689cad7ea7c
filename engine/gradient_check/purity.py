"""The analytic pass, on arrays that cannot be written to, with everything else compared before and after."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from engine.layer import Grads, Layer, Run


@dataclass
class Analytic:
    """The output, the random dy, what backward made of it, and what was wrong (nothing, for a sound layer).

    gradients  dx under the name "x", and those of the parameters; empty where forward or backward raised an error
    """
    y: np.ndarray = field(default_factory=lambda: np.zeros(0))
    dy: np.ndarray = field(default_factory=lambda: np.zeros(0))
    gradients: Grads = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def analytic(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator) -> Analytic:
    """forward and backward with a random dy, twice each; `problems` lists every breach of the protocol.

    dy is never all ones. The outputs of batch norm have a mean that does not depend on x, and those of softmax a sum:
    for dy = 1 their true gradients are 0, and a backward that forgot the terms beyond the first may give 0 as well.
    """
    require_float64(layer, x)
    found = Analytic()
    run = replace(run, record=True)
    parameters, averages = layer.parameters(), layer.moving_averages()
    held = [x, *parameters.values(), *averages.values()]
    before = fingerprint(vars(layer)), fingerprint(x)
    doing = "forward"
    try:
        with read_only(held):
            y, saved = layer.forward(x, run)
            found.y = np.array(y)
            found.dy = np.asarray(rng.standard_normal(found.y.shape))
            _same(found, "forward twice gives other outputs: randomness that is not the run's seed, or kept state",
                  y, layer.forward(x, run)[0])
            _same(found, "forward with record=False gives other outputs",
                  y, layer.forward(x, replace(run, record=False))[0])
            doing, kept = "backward", fingerprint(saved)
            with read_only([found.dy]):
                dx, grads = layer.backward(found.dy, saved)
                if fingerprint(saved) != kept:
                    found.problems.append("backward changed `saved`: copy what it writes to")
                else:
                    again, grads_again = layer.backward(found.dy, saved)
                    _same(found, "backward twice gives another dx", dx, again)
                    for name in grads.keys() & grads_again.keys():
                        _same(found, f"backward twice gives another gradient of '{name}'",
                              grads[name], grads_again[name])
        found.gradients = {name: np.array(gradient) for name, gradient in {"x": dx, **grads}.items()}
    except Exception as error:
        wrote = "read-only" in str(error)
        about = "wrote to x, dy, a parameter or a buffer" if wrote else f"raised {type(error).__name__}"
        found.problems.append(f"{doing} {about}: {error}")
        return found
    if (fingerprint(vars(layer)), fingerprint(x)) != before:
        found.problems.append("forward or backward changed the layer: its attributes and arrays must stay")
    found.problems += list(_shape_problems(found, x, parameters, averages))
    return found


def require_float64(layer: Layer, x: np.ndarray) -> None:
    """Raises ValueError: a difference of float32 numbers cannot tell a right gradient from a wrong one."""
    for name, array in {"x": x, **layer.parameters(), **layer.moving_averages()}.items():
        if not isinstance(array, np.ndarray) or array.dtype != np.float64:
            raise ValueError(f"'{name}' is {getattr(array, 'dtype', type(array).__name__)}; gradients are checked on "
                             "NumPy arrays in float64: build the layer with dtype=\"float64\" and convert x")
        if array.size and not array.flags.writeable:
            raise ValueError(f"'{name}' is read-only; the check moves it a little and puts it back: pass a copy")


def _same(found: Analytic, problem: str, first: np.ndarray, second: np.ndarray) -> None:
    if fingerprint(np.asarray(first)) != fingerprint(np.asarray(second)):
        found.problems.append(problem)


def _shape_problems(found: Analytic, x: np.ndarray, parameters: Grads, averages: Grads) -> Iterator[str]:
    expected = {"x": x, **averages, **parameters}
    for name in parameters.keys() - found.gradients.keys():
        yield f"backward gives no gradient for '{name}'"
    if found.y.dtype != np.float64:
        yield f"y is {found.y.dtype}; expected float64 for float64 x and parameters"
    for name, gradient in found.gradients.items():
        if name not in expected:
            yield f"backward answers with '{name}', which is neither a parameter nor a buffer"
        elif (gradient.shape, gradient.dtype) != (expected[name].shape, np.float64):
            yield (f"the gradient of '{name}' is {gradient.dtype} {gradient.shape}; "
                   f"expected float64 {expected[name].shape}")


@contextmanager
def read_only(arrays: list[np.ndarray]) -> Iterator[None]:
    """Inside, writing to one of the arrays raises ValueError."""
    try:
        for array in arrays:
            array.flags.writeable = False
        yield
    finally:
        for array in arrays:
            array.flags.writeable = True


def fingerprint(value: Any) -> bytes:
    """Equal for equal contents: arrays bit by bit, containers and objects by what they hold, generators by state."""
    digest = blake2b(digest_size=16)
    seen: dict[int, Any] = {}  # holds on to what it names: the id of a freed object comes again

    def walk(value: Any) -> None:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype}{value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
            return
        if isinstance(value, np.random.Generator):
            value = value.bit_generator.state
        digest.update(type(value).__name__.encode())
        if isinstance(value, (str, bytes, int, float, complex, bool, type(None), np.generic)):
            digest.update(repr(value).encode())
            return
        if id(value) in seen:
            return
        seen[id(value)] = value
        if isinstance(value, dict):
            value = list(value.items())
        if isinstance(value, (list, tuple)):
            digest.update(str(len(value)).encode())
            for item in value:
                walk(item)
        elif hasattr(value, "__dict__") and not callable(value):
            walk(vars(value))

    walk(value)
    return digest.digest()
