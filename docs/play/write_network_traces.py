"""Writes network_traces.js: what the engine computes, in float64, for the first state of batch norm and the network.

    python docs/play/write_network_traces.py

As write_traces.py, for batch norm with its three ways to the loss and for the two layers of Algorithms 1 and 2.
"""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from write_traces import computed, formula, literal

from engine.arrays import Array
from engine.kernels import gradient_sums
from engine.layer import Run
from engine.layers import BatchNorm, Dense, ReLU, Sigmoid
from engine.losses import least_squares
from models.mlp import mlp

FILE = Path(__file__).with_name("network_traces.js")
SIGMA = {"ReLU": ReLU, "sigmoid": Sigmoid}


def batch_norm() -> dict[str, Any]:
    """One channel of a batch of 6; the page offers up to 8 numbers. The seed makes the mean 4, the deviation 2."""
    rng = np.random.default_rng(2090)
    drawn = {"x": rng.integers(0, 10, (1, 8)), "dy": signs(rng, (1, 8)), "c1": 2, "c2": -1}
    options = {"M": 6, "epsilon": BatchNorm(1).epsilon}
    results = normalized(drawn["x"][0, :6], drawn["dy"][0, :6], drawn["c1"], drawn["c2"])
    return {"drawn": drawn, "options": options, "results": results,
            "formulas": {"forward": formula(BatchNorm, "xhat ="), "dx": formula(BatchNorm, "dx =")}}


def normalized(x: Array, dy: Array, c1: float, c2: float) -> dict[str, Any]:
    """What BatchNorm makes of x and dy, (M,). The ways are dx with one of its two sums alone, and with none."""
    layer = BatchNorm(1, dtype="float64")
    x, dy = (np.asarray(numbers, "float64")[:, None] for numbers in (x, dy))
    xhat, _ = layer.forward(x, Run())  # c1 is 1 and c2 is 0
    layer.params["c1"][...], layer.params["c2"][...] = c1, c2
    y, saved = layer.forward(x, Run())
    dx, grads = layer.backward(dy, saved)
    _, measured = saved
    sum_dy, sum_dy_x = gradient_sums(dy, x, measured.m)
    direct, mean, variance = (layer.input_gradient(dy, x, measured, (sum_dy * m, sum_dy_x * v))
                              for m, v in ((0, 0), (1, 0), (0, 1)))
    s = measured.s
    results = {"mu": grads["mean"], "var": grads["variance"], "s": s, "dm": -s * c1 * sum_dy,
               "dv": -s**3 / 2 * c1 * sum_dy_x, "dc1": grads["c1"], "dc2": grads["c2"]}
    arrays = {"xhat": xhat, "y": y, "g": dy * c1, "direct": direct, "mean": mean - direct,
              "variance": variance - direct, "dx": dx}
    return {name: value[0] for name, value in results.items()} | {name: value[:, 0] for name, value in arrays.items()}


def network() -> dict[str, Any]:
    """One sample; two or three inputs, hidden numbers, outputs. With this seed ReLU stops one of the hidden three."""
    rng = np.random.default_rng(851)
    row, square = (1, 3), (3, 3)
    shapes = {"x": row, "W1": square, "b1": row, "W2": square, "b2": row, "y": row}
    drawn = {name: signs(rng, shape) for name, shape in shapes.items()}
    options = {"inputs": 3, "hidden": 3, "outputs": 2, "sigma": "ReLU"}
    given = drawn | {name: drawn[name][:, :2] for name in ("W2", "b2", "y")}
    return {"drawn": drawn, "options": options, "results": propagated(**given, sigma=options["sigma"]),
            "formulas": {"dW": reason("dW ="), "dx": reason("dx ="), "db": reason("db =")}}


def propagated(x: Array, W1: Array, b1: Array, W2: Array, b2: Array, y: Array, sigma: str) -> dict[str, Any]:
    """Every array that Algorithms 1 and 2 write. x: (1, I), W1: (I, H), W2: (H, O); biases and y are rows, too."""
    rng = np.random.default_rng(0)  # for parameters that are overwritten
    net = mlp((*W1.shape, W2.shape[1]), SIGMA[sigma](), rng=rng, dtype="float64")
    first, second = net["dense_1"], net["dense_2"]
    linear = Dense(*W1.shape, rng=rng, dtype="float64")  # the first layer without sigma
    for layer, W, b in ((first, W1, b1), (linear, W1, b1), (second, W2, b2)):
        layer.params["W"][...], layer.params["b"][...] = W, b[0]
    x = x.astype("float64")
    o1, saved1 = first.forward(x, Run())
    o2, saved2 = second.forward(o1, Run())
    loss, do2 = least_squares(o2, y)
    do1, grads2 = second.backward(do2, saved2)
    do0, grads1 = first.backward(do1, saved1)
    # db, the sum of da over the samples, is da itself for one sample; the second layer has no sigma
    return {"o0": x, "a1": linear.forward(x, Run())[0], "o1": o1, "a2": o2, "o2": o2, "l": loss, "do2": do2, "da2": do2,
            "db2": grads2["b"][None], "dW2": grads2["W"], "do1": do1, "da1": grads1["b"][None],
            "db1": grads1["b"][None], "dW1": grads1["W"], "do0": do0}


def signs(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Small numbers of both signs, none 0."""
    return rng.integers(1, 4, shape) * rng.choice((-1, 1), shape)


def reason(beginning: str) -> str:
    """The line of Dense's docstring that begins so: what stands in its columns but the last, the algorithm's line."""
    line, = [line.strip() for line in (Dense.__doc__ or "").splitlines() if line.strip().startswith(beginning)]
    equation, *others = re.split(" {2,}", line)[:-1]
    return f"{equation}{':' if len(others) > 1 else ''} {' '.join(others)}"


TRACES = {"batch norm": batch_norm, "network": network}


def traces() -> dict[str, dict[str, dict[str, Any]]]:
    """As those of write_traces.py."""
    return computed(TRACES)


def script() -> str:
    """network_traces.js: one assignment an operation."""
    operations = [f'TRACES["{operation}"] = {literal(parts)};\n' for operation, parts in traces().items()]
    return ("// Written by write_network_traces.py: what the engine computes in float64. Not to be edited.\n"
            '"use strict";\n\n' + "\n".join(operations))


def main() -> None:
    FILE.write_text(script(), encoding="utf-8")


if __name__ == "__main__":
    main()
