"""Writes traces.js: what the engine computes, in float64, for the first state of every view of the page.

    python docs/play/write_traces.py

A trace holds what was drawn (by a generator with a fixed seed), the options, what the engine computed from them, and the
lines of the layer's docstring that the page shows. tests/docs/play fails where traces.js is not what this file writes.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.kernels import max_pool
from engine.layer import Run
from engine.layers import Conv2D, MaxPool, Upsample
from engine.layers.conv2d import input_gradient, rotate
from engine.layers.padding import NONE

FILE = Path(__file__).with_name("traces.js")
LARGEST = 6  # rows and columns of the largest image that the page offers; smaller ones are its upper left corner


def convolution() -> dict[str, Any]:
    """Conv2D on one image with one channel, no activation: o is a, do is da."""
    rng = np.random.default_rng(341)
    drawn = {"x": grey_levels(rng), "W": signs(rng, 4), "b": 1, "da": signs(rng, LARGEST)}
    options = {"rows": 5, "columns": 5, "kernel": 3, "stride": 1, "padding": "SAME"}
    layer = Conv2D(1, 1, options["kernel"], options["stride"], options["padding"], rng=rng, dtype="float64")
    kernel = drawn["W"][:3, :3, None, None].astype("float64")
    layer.params["W"][...], layer.params["b"][...] = kernel, drawn["b"]
    a, saved = layer.forward(image(drawn["x"][:5, :5]), Run())
    da = image(drawn["da"][:5, :5])
    dx, grads = layer.backward(da, saved)
    around = (1, 7, 7, 1)  # x with the zeros around it: SAME with a 3x3 kernel puts one on each side
    results = {
        "a": plane(a), "dx": plane(dx), "dW": grads["W"][:, :, 0, 0], "db": grads["b"][0],
        "dX": plane(input_gradient(da, kernel, around, layer.stride, NONE)),
        # rotate(kernel) is rotated once more: as if the kernel had not been
        "dX not rotated": plane(input_gradient(da, rotate(kernel), around, layer.stride, NONE)),
    }
    return {"drawn": drawn, "options": options, "results": results, "formulas": {
        "a": formula(Conv2D, "a[n,i,j,k] ="), "dX": formula(Conv2D, "dX[n,p,q,c] = sum over u',v'"),
        "short dX": formula(Conv2D, "dX = D"), "D": formula(Conv2D, "D[n,"), "dW": formula(Conv2D, "dW[u,v,c,k] ="),
        "db": formula(Conv2D, "db[k] =")}}


def pooling() -> dict[str, Any]:
    """MaxPool on one image with one channel; few grey levels, so that some windows have ties."""
    rng = np.random.default_rng(3)
    drawn = {"x": rng.integers(0, 5, (LARGEST, LARGEST)), "dy": signs(rng, LARGEST)}
    options = {"rows": 6, "columns": 6, "size": 2, "stride": 2}
    layer = MaxPool(options["size"], options["stride"])
    x = image(drawn["x"])
    y, saved = layer.forward(x, Run())
    dx, _ = layer.backward(image(drawn["dy"][:3, :3]), saved)
    results = {"y": plane(y), "place": plane(max_pool(x, layer.size, layer.stride)[1]), "dx": plane(dx)}
    return {"drawn": drawn, "options": options, "results": results,
            "formulas": {"y": formula(MaxPool, "y[n,i,j,c] =")}}


def upsampling() -> dict[str, Any]:
    """Upsample on one image with one channel."""
    rng = np.random.default_rng(5)
    drawn = {"x": grey_levels(rng)[:4, :4], "dy": signs(rng, 8)}
    options = {"rows": 3, "columns": 3}
    y, saved = Upsample(2).forward(image(drawn["x"][:3, :3]), Run())
    dx, _ = Upsample(2).backward(image(drawn["dy"][:6, :6]), saved)
    return {"drawn": drawn, "options": options, "results": {"y": plane(y), "dx": plane(dx)},
            "formulas": {"y": formula(Upsample, "y repeats")}}


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
    return {operation: {part: {name: plain(value) for name, value in values.items()}
                        for part, values in trace().items()} for operation, trace in TRACES.items()}


def plain(value: Any) -> Any:
    return (value + 0).tolist() if isinstance(value, np.ndarray | np.generic) else value


def script() -> str:
    """traces.js: one assignment, a line for each number or matrix."""
    operations = []
    for operation, parts in traces().items():
        written = [f'  "{part}": {{\n' + ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}"
                                                   for name, value in values.items()) + "\n  }"
                   for part, values in parts.items()]
        operations.append(f'"{operation}": {{\n' + ",\n".join(written) + "\n}")
    return ("// Written by write_traces.py: what the engine computes in float64. Not to be edited.\n"
            '"use strict";\n\nconst TRACES = {\n' + ",\n".join(operations) + "\n};\n")


def main() -> None:
    FILE.write_text(script(), encoding="utf-8")


if __name__ == "__main__":
    main()
