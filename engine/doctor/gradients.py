"""A small gradient check on every device: a convolution with ReLU, batch norm, pooling, a dense layer."""
from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Array
from engine.combinators import Chain
from engine.doctor.cuda import usable_cupy
from engine.doctor.finding import Absent, Broken
from engine.gradient_check.case import Case, layer_case
from engine.gradient_check.cuda_on_cpu import CudaOnCpu, moved
from engine.gradient_check.difference import STEPS, TOLERANCE
from engine.gradient_check.protocol import unit
from engine.gradient_check.result import Result
from engine.gradient_check.suite import examine
from engine.kernels.cuda.on_cpu import CompileError
from engine.layer import Run
from engine.layers import BatchNorm, Conv2D, Dense, Flatten, MaxPool, ReLU


def case() -> Case:
    """The network that is checked, in float64: x (2, 8, 8, 2), y (2, 3); always the same numbers."""
    rng = np.random.default_rng(0)
    network = Chain(conv=Conv2D(2, 4, activation=ReLU(), bias=0.3, rng=rng, dtype="float64"),
                    norm=BatchNorm(4, dtype="float64"), pool=MaxPool(2), flat=Flatten(),
                    dense=Dense(4 * 4 * 4, 3, rng=rng, dtype="float64"))
    return layer_case("doctor", "", network, 2, 8, 8, 2)


def on_numpy() -> tuple[str, dict[str, Any]]:
    """Through NumPy's versions of the kernels. Raises Broken where a gradient is wrong."""
    return _judged(examine(case()))


def on_emulated_cuda() -> tuple[str, dict[str, Any]]:
    """Through the text of the CUDA kernels. Raises Absent where there is no g++."""
    try:
        through = CudaOnCpu(examine)
    except CompileError:
        raise Absent("not without g++") from None
    text, details = _judged(through(moved(case())))
    launched = through.launched.total()
    return f"{text}, {len(through.launched)} kernels launched {launched} times", {**details, "launches": launched}


def on_cuda() -> tuple[str, dict[str, Any]]:
    """By one difference along a random direction of x and all parameters together. Raises Absent without a GPU."""
    library = usable_cupy()
    error = difference(case(), library.asarray)
    if not error <= TOLERANCE:
        raise Broken(f"a gradient is wrong: its relative error is {error:.1e}; expected at most {TOLERANCE:.0e}",
                     "report it with the output of --json")
    return f"right, relative error {error:.0e}", {"error": error}


def difference(checked: Case, move: Any) -> float:
    """|numeric - exact| / |exact| for dy and a direction that are random, on the arrays that `move` makes."""
    rng = np.random.default_rng(1)
    layer, run, step = checked.layer, Run(), STEPS[0]
    layer.convert(move)
    x = move(checked.x)
    y, saved = layer.forward(x, run)
    dy = move(rng.standard_normal(y.shape))
    dx, grads = layer.backward(dy, saved)
    arrays = {"x": x, **layer.parameters()}
    directions = {path: move(unit(rng, array.shape)) for path, array in arrays.items()}
    exact = sum(_dot({"x": dx, **grads}[path], direction) for path, direction in directions.items())
    sides = []
    for sign in (1, -1):
        for path, array in arrays.items():
            array += sign * step * directions[path]
        sides.append(layer.forward(x, run)[0])
        for path, array in arrays.items():
            array -= sign * step * directions[path]
    return abs(_dot(dy, sides[0] - sides[1]) / (2 * step) - exact) / abs(exact)


def _dot(first: Array, second: Array) -> float:
    return float((first * second).sum())


def _judged(results: list[Result]) -> tuple[str, dict[str, Any]]:
    """Raises Broken where one did not pass."""
    if wrong := [result for result in results if not result.passed]:
        raise Broken(f"{len(wrong)} of {len(results)} checks failed; {wrong[0].parameter}: {wrong[0].message}"[:200],
                     "report it with the output of --json and of python -m engine.gradient_check")
    worst = max(result.error for result in results)
    return f"right, {len(results)} checks, largest relative error {worst:.0e}", {"checks": len(results), "error": worst}
