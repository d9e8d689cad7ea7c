"""Writes traces.js: what the engine computes, in float64, for the first state of every view of the page.

    python docs/play/write_traces.py

A trace holds what was drawn (by a generator with a fixed seed), the options, what the engine computed from them, and
the lines of the layer's docstring that the page shows. tests/docs/play fails where traces.js is not what this file
writes.
"""
from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from companion.running_example import BIAS, IMAGE, KERNEL, UPSTREAM
from engine.arrays import Array
from engine.layer import Run
from engine.layers import Conv2D, MaxPool, Upsample
from engine.layers.conv2d import input_gradient, rotate
from engine.layers.padding import NONE, zeros_around

FILE = Path(__file__).with_name("traces.js")
LARGEST = 6  # rows and columns of the largest image that the page offers; smaller ones are its upper left corner


def convolution() -> dict[str, Any]:
    """Conv2D on one image with one channel, no activation: o is a, do is da.

    The chapters' running example; drawn numbers around it, for larger images and kernels.
    """
    rng = np.random.default_rng(341)
    drawn = {"x": grey_levels(rng), "W": signs(rng, 4), "b": BIAS, "da": signs(rng, LARGEST)}
    drawn["x"][:5, :5], drawn["W"][:3, :3], drawn["da"][:3, :3] = IMAGE, KERNEL, UPSTREAM
    options = {"rows": 5, "columns": 5, "kernel": 3, "stride": 1, "padding": "VALID"}
    results = convolved(IMAGE, KERNEL, BIAS, UPSTREAM, 1, "VALID")
    return {"drawn": drawn, "options": options, "results": results, "formulas": {
        "a": formula(Conv2D, "a[n,i,j,k] ="), "dX": formula(Conv2D, "dX[n,p,q,c] = sum over u',v'"),
        "short dX": formula(Conv2D, "dX = D"), "D": formula(Conv2D, "D[n,"), "dW": formula(Conv2D, "dW[u,v,c,k] ="),
        "db": formula(Conv2D, "db[k] =")}}


def convolved(x: Array, W: Array, b: float, da: Array, stride: int, padding: str) -> dict[str, Any]:
    """What Conv2D makes of x (H, W), the kernel W (KH, KW), b and da (OH, OW).

    dX is the gradient of X, which is x with the zeros around it; "dX not rotated" is a classic mistake.
    """
    layer = Conv2D(1, 1, W.shape, stride, padding, rng=np.random.default_rng(0), dtype="float64")
    layer.params["W"][..., 0, 0], layer.params["b"][...] = W, b
    a, saved = layer.forward(image(x), Run())
    dx, grads = layer.backward(image(da), saved)
    kernel = layer.params["W"]
    (top, bottom), (left, right) = zeros_around((1, *x.shape, 1), layer.kernel_size, layer.stride, padding)
    around = (1, top + x.shape[0] + bottom, left + x.shape[1] + right, 1)
    return {"a": plane(a), "dx": plane(dx), "dW": grads["W"][:, :, 0, 0], "db": grads["b"][0],
            "dX": plane(input_gradient(image(da), kernel, around, layer.stride, NONE)),
            # the engine rotates the kernel; rotated before, it comes out as it was
            "dX not rotated": plane(input_gradient(image(da), rotate(kernel), around, layer.stride, NONE))}


def pooling() -> dict[str, Any]:
    """MaxPool on one image with one channel; few grey levels, so that some windows have ties."""
    rng = np.random.default_rng(3)
    drawn = {"x": grey_levels(rng), "dy": signs(rng, LARGEST)}
    options = {"rows": 6, "columns": 6, "size": 2, "stride": 2}
    return {"drawn": drawn, "options": options, "results": pooled(drawn["x"], drawn["dy"][:3, :3], 2, 2),
            "formulas": {"y": formula(MaxPool, "y[n,i,j,c] =")}}


def pooled(x: Array, dy: Array, size: int, stride: int) -> dict[str, Any]:
    """What MaxPool makes of x (H, W) and dy (OH, OW); place: size u + v of the pixel that gets the gradient."""
    layer = MaxPool(size, stride)
    y, saved = layer.forward(image(x), Run())
    dx, _ = layer.backward(image(dy), saved)
    return {"y": plane(y), "place": plane(layer.piece(image(x), y)), "dx": plane(dx)}


def upsampling() -> dict[str, Any]:
    """Upsample on one image with one channel."""
    rng = np.random.default_rng(5)
    drawn = {"x": grey_levels(rng), "dy": signs(rng, 2 * LARGEST)}
    options = {"rows": 3, "columns": 3, "factor": 2}
    return {"drawn": drawn, "options": options, "results": upsampled(drawn["x"][:3, :3], drawn["dy"][:6, :6], 2),
            "formulas": {"y": formula(Upsample, "y repeats")}}


def upsampled(x: Array, dy: Array, factor: int) -> dict[str, Any]:
    """What Upsample makes of x (H, W) and dy (factor H, factor W)."""
    layer = Upsample(factor)
    y, saved = layer.forward(image(x), Run())
    return {"y": plane(y), "dx": plane(layer.backward(image(dy), saved)[0])}


def grey_levels(rng: np.random.Generator) -> Array:
    return rng.integers(0, 5, (LARGEST, LARGEST))


def signs(rng: np.random.Generator, size: int) -> Array:
    """Small numbers of both signs, none 0: (size, size)."""
    return rng.integers(1, 3, (size, size)) * rng.choice((-1, 1), (size, size))


def image(values: Array) -> Array:
    """(H, W) -> (1, H, W, 1), float64."""
    return values[None, :, :, None].astype("float64")


def plane(x: Array) -> Array:
    """(1, H, W, 1) -> (H, W)."""
    return x[0, :, :, 0]


def formula(layer: type, beginning: str) -> str:
    """The one line of the layer's docstring that begins so, one space between words."""
    lines = [" ".join(line.split()) for line in (layer.__doc__ or "").splitlines()]
    found, = [line for line in lines if line.startswith(beginning)]
    return found


TRACES = {"convolution": convolution, "pooling": pooling, "upsampling": upsampling}


def traces() -> dict[str, dict[str, dict[str, Any]]]:
    """operation -> part -> name -> a number, a matrix as rows, or text: what JSON has. No negative zeros."""
    return computed(TRACES)


def computed(operations: dict[str, Callable[[], dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """As `traces`, of the operations given."""
    return {operation: {part: {name: plain(value) for name, value in values.items()}
                        for part, values in trace().items()} for operation, trace in operations.items()}


def plain(value: Any) -> Any:
    return (value + 0).tolist() if isinstance(value, np.ndarray | np.generic) else value


def script() -> str:
    """traces.js: one assignment."""
    operations = [f'"{operation}": {literal(parts)}' for operation, parts in traces().items()]
    return ("// Written by write_traces.py: what the engine computes in float64. Not to be edited.\n"
            '"use strict";\n\nconst TRACES = {\n' + ",\n".join(operations) + "\n};\n")


def literal(parts: dict[str, dict[str, Any]]) -> str:
    """The parts of an operation as JavaScript has them, a line for each number or matrix."""
    written = [f'  "{part}": {{\n' + ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}"
                                               for name, value in values.items()) + "\n  }"
               for part, values in parts.items()]
    return "{\n" + ",\n".join(written) + "\n}"


def main() -> None:
    FILE.write_text(script(), encoding="utf-8")


if __name__ == "__main__":
    main()
