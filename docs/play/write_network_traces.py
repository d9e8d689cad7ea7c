"""Writes network_traces.js: what the engine computes, in float64, for the first state of the views of whole networks.

    python docs/play/write_network_traces.py

As write_traces.py, for batch norm with its three ways and for the two-layer network of Algorithms 1 and 2.
"""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.combinators import Chain
from engine.kernels import gradient_sums
from engine.layer import Run
from engine.layers import BatchNorm, Dense, ReLU, Sigmoid
from engine.losses import least_squares
from models.mlp import mlp

FILE = Path(__file__).with_name("network_traces.js")
SIGMA = {"ReLU": ReLU, "sigmoid": Sigmoid}


def batch_norm() -> dict[str, Any]:
    """One channel of a batch of 6; the page offers up to 8 numbers. With this seed mean and deviation are whole: 4, 2."""
    rng = np.random.default_rng(2090)
    drawn = {"x": rng.integers(0, 10, 8), "dy": signs(rng, 8), "c1": 2, "c2": -1}
    options = {"M": 6, "epsilon": BatchNorm(1).epsilon}
    results = normalized(drawn["x"][:6], drawn["dy"][:6], drawn["c1"], drawn["c2"])
    return {"drawn": drawn, "options": options, "results": results,
            "formulas": {"forward": formula(BatchNorm, "xhat ="), "dx": formula(BatchNorm, "dx =")}}


def normalized(x: Array, dy: Array, c1: float, c2: float) -> dict[str, Any]:
    """All that the page shows of x, dy: (M,), by the engine. The ways are dx with one of its two sums alone, or none."""
    layer = BatchNorm(1, dtype="float64")
    xhat, _ = layer.forward(channel(x), Run())  # c1 is 1 and c2 is 0
    layer.params["c1"][...], layer.params["c2"][...] = c1, c2
    y, saved = layer.forward(channel(x), Run())
    dx, grads = layer.backward(channel(dy), saved)
    _, measured = saved
    sums = gradient_sums(channel(dy), channel(x), measured.m)
    direct, through_mean, through_variance = (
        layer.input_gradient(channel(dy), channel(x), measured, (sums[0] * mean, sums[1] * variance))
        for mean, variance in ((0, 0), (1, 0), (0, 1)))
    s = measured.s
    return {"mu": grads["mean"][0], "var": grads["variance"][0], "s": s[0], "xhat": xhat[:, 0], "y": y[:, 0],
            "g": dy * c1, "dm": (-s * c1 * sums[0])[0], "dv": (-s**3 / 2 * c1 * sums[1])[0], "direct": direct[:, 0],
            "mean": (through_mean - direct)[:, 0], "variance": (through_variance - direct)[:, 0], "dx": dx[:, 0],
            "dc1": grads["c1"][0], "dc2": grads["c2"][0]}


def network() -> dict[str, Any]:
    """One sample; two or three inputs, hidden numbers and outputs. With this seed ReLU stops one of the hidden three."""
    rng = np.random.default_rng(851)
    drawn = {"x": signs(rng, (1, 3)), "W1": signs(rng, (3, 3)), "b1": signs(rng, (1, 3)), "W2": signs(rng, (3, 3)),
             "b2": signs(rng, (1, 3)), "y": signs(rng, (1, 3))}
    options = {"inputs": 3, "hidden": 3, "outputs": 2, "sigma": "ReLU"}
    ends = {"x": (1, 3), "W1": (3, 3), "b1": (1, 3), "W2": (3, 2), "b2": (1, 2), "y": (1, 2)}
    given = {name: drawn[name][:rows, :columns] for name, (rows, columns) in ends.items()}
    return {"drawn": drawn, "options": options, "results": propagated(**given, sigma=options["sigma"]),
            "formulas": {"dW": reason("dW ="), "dx": reason("dx ="), "db": reason("db =")}}


def propagated(x: Array, W1: Array, b1: Array, W2: Array, b2: Array, y: Array, sigma: str) -> dict[str, Any]:
    """Algorithms 1 and 2 by the engine: every array that they write. x: (1, I), biases as rows (1, O)."""
    rng = np.random.default_rng(0)  # for parameters that are overwritten
    net = mlp((*W1.shape, W2.shape[1]), SIGMA[sigma](), rng=rng, dtype="float64")
    linear = Chain(Dense(*W1.shape, rng=rng, dtype="float64"))["0"]
    for layer, W, b in ((net["dense_1"], W1, b1), (net["dense_2"], W2, b2), (linear, W1, b1)):
        layer.params["W"][...], layer.params["b"][...] = W, b[0]
    x = x.astype("float64")
    o1, saved1 = net["dense_1"].forward(x, Run())
    o2, saved2 = net["dense_2"].forward(o1, Run())
    loss, do2 = least_squares(o2, y)
    do1, second = net["dense_2"].backward(do2, saved2)
    do0, first = net["dense_1"].backward(do1, saved1)
    # one sample: the sum of da over n, db, is da itself; and the second layer has no sigma
    return {"o0": x, "a1": linear.forward(x, Run())[0], "o1": o1, "a2": o2, "o2": o2, "l": loss, "do2": do2, "da2": do2,
            "db2": second["b"][None], "dW2": second["W"], "do1": do1, "da1": first["b"][None], "db1": first["b"][None],
            "dW1": first["W"], "do0": do0}


def channel(numbers: Array) -> Array:
    """(M,) -> (M, 1), float64."""
    return np.asarray(numbers, "float64")[:, None]


def signs(rng: np.random.Generator, shape: int | tuple[int, int]) -> Array:
    """Small numbers of both signs, none 0."""
    return rng.integers(1, 4, shape) * rng.choice((-1, 1), shape)


def formula(layer: type, beginning: str) -> str:
    """The one line of the layer's docstring that begins so, one space between words."""
    lines = [" ".join(line.split()) for line in (layer.__doc__ or "").splitlines()]
    found, = [line for line in lines if line.startswith(beginning)]
    return found


def reason(beginning: str) -> str:
    """The line of Dense's docstring that begins so: formula: reason (equations); far apart there, its line number left off."""
    line, = [line.strip() for line in (Dense.__doc__ or "").splitlines() if line.strip().startswith(beginning)]
    *columns, _ = re.split(" {2,}", line)
    return f"{columns[0]}: {' '.join(columns[1:])}" if len(columns) > 2 else " ".join(columns)


TRACES = {"batch norm": batch_norm, "network": network}


def script() -> str:
    """network_traces.js: one assignment an operation, a line for each number or array. No negative zeros."""
    operations = []
    for operation, trace in TRACES.items():
        parts = [f'  "{part}": {{\n' + ",\n".join(f"    {json.dumps(name)}: {json.dumps(plain(value))}"
                                                 for name, value in values.items()) + "\n  }"
                 for part, values in trace().items()]
        operations.append(f'TRACES["{operation}"] = {{\n' + ",\n".join(parts) + "\n};\n")
    return ("// Written by write_network_traces.py: what the engine computes in float64. Not to be edited.\n"
            '"use strict";\n\n' + "\n".join(operations))


def plain(value: Any) -> Any:
    return (value + 0).tolist() if isinstance(value, np.ndarray | np.generic) else value


def main() -> None:
    FILE.write_text(script(), encoding="utf-8")


if __name__ == "__main__":
    main()
