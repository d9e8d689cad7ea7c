"""The analytic pass: forward and backward held to the protocol, and the gradients that are to be compared."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.gradient_check.difference import SAME, apart
from engine.gradient_check.fingerprint import state_of
from engine.gradient_check.passes import Analytic, free_pass, read_only_pass, restored
from engine.gradient_check.probe import Probe
from engine.layer import Grads, Layer, Run

# A fused layer may take another way where the layers inside it are watched. The differences are those of that way.
WATCHED = "forward and the layers inside it, watched one by one, give different outputs"


def analytic(layer: Layer, x: np.ndarray, run: Run, rng: np.random.Generator) -> Analytic:
    """forward and backward with a random dy, several times; `problems` lists every breach of the protocol.

    dy is never all ones. The outputs of batch norm have a mean that does not depend on x, and those of softmax a sum:
    for dy = 1 their true gradients are 0, and a backward that forgot the terms beyond the first may give 0 as well.
    """
    require_float64(layer, x)
    found, run = Analytic(), replace(run, record=True)
    arrays = {"x": x, **_described("parameter", layer.parameters()), **_described("buffer", layer.moving_averages())}
    before = state_of(layer)
    with restored(layer, arrays) as written:
        comparable = read_only_pass(found, layer, x, run, rng, arrays) and free_pass(found, layer, x, run, arrays)
        left = state_of(layer)
    if written:
        found.problems.append(f"forward or backward wrote to {', '.join(written)}, or replaced it: neither may "
                              "touch its arguments or the layer's arrays; nothing else was compared")
    elif changed := [name for name in before | left if before.get(name) != left.get(name)]:
        found.problems.append(f"forward or backward changed the layer ({'; '.join(changed)}): all of it must stay")
    if written or not comparable:
        found.gradients = {}
        return found
    found.problems += _shape_problems(found, x, layer)
    watched = Probe(layer, x, run).y
    if watched.shape != found.y.shape:
        found.problems.append(f"{WATCHED}: {watched.shape}, not {found.y.shape}")
        found.gradients = {}
    elif not (off := apart(watched, found.y)) <= SAME:
        found.problems.append(f"{WATCHED}: off by {off:.1e}")
    return found


def require_float64(layer: Layer, x: np.ndarray) -> None:
    """Raises ValueError: a difference of float32 numbers cannot tell a right gradient from a wrong one."""
    for name, array in {"x": x, **layer.parameters(), **layer.moving_averages()}.items():
        if not isinstance(array, np.ndarray) or array.dtype != np.float64:
            raise ValueError(f"'{name}' is {getattr(array, 'dtype', type(array).__name__)}; gradients are checked on "
                             "NumPy arrays in float64: build the layer with dtype=\"float64\" and convert x")
        if array.size and not array.flags.writeable:
            raise ValueError(f"'{name}' is read-only; the check moves it a little and puts it back: pass a copy")


def _shape_problems(found: Analytic, x: np.ndarray, layer: Layer) -> Iterator[str]:
    expected = {"x": x, **layer.moving_averages(), **layer.parameters()}
    for name in layer.parameters().keys() - found.gradients.keys():
        yield f"backward gives no gradient for '{name}'"
    if found.y.dtype != np.float64:
        yield f"y is {found.y.dtype}; expected float64 for float64 x and parameters"
    for name, gradient in found.gradients.items():
        if name not in expected:
            yield f"backward answers with '{name}', which is neither a parameter nor a buffer"
        elif (gradient.shape, gradient.dtype) != (expected[name].shape, np.float64):
            yield (f"the gradient of '{name}' is {gradient.dtype} {gradient.shape}; "
                   f"expected float64 {expected[name].shape}")


def _described(kind: str, arrays: Grads) -> dict[str, np.ndarray]:
    return {f"{kind} '{path}'": array for path, array in arrays.items()}
