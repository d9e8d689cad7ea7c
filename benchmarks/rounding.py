"""What float32 costs in digits, directly and by Winograd's method, against float64: per layer and for whole gradients.

    python benchmarks/rounding.py
    python benchmarks/rounding.py --side 64 --batch 2 --json rounding.json --plot rounding.png

Layers: normal numbers through every convolution shape of both networks; the largest error over the largest number.
Gradients: of all kernels of a network together, in a training step; the length of the error over the gradient's.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from cases import make_case
from convolution import Shape, implementations, shapes
from machine import describe, positive
from results import COLOURS, save, write_json

from engine.kernels.cpu import convolution
from engine.layer import Run
from engine.training import gradients

METHODS = ("direct", "winograd")


def layer_errors(shape: Shape, batch: int) -> dict[str, dict[str, float]]:
    """By operation and method: the largest error over the largest result."""
    exact = {operation: calls["direct"]() for operation, calls in implementations(shape, batch, "float64").items()}
    return {operation: {method: float(np.abs(calls[method]() - exact[operation]).max() / np.abs(exact[operation]).max())
                        for method in METHODS if method in calls}
            for operation, calls in implementations(shape, batch).items()}


@contextmanager
def only(method: str) -> Iterator[None]:
    """All convolutions by this method, as far as it can do them."""
    rule = convolution.winograd_is_faster
    with patch.object(convolution, "winograd_is_faster", rule if method == "winograd" else lambda *_: False):
        yield


def gradient_error(network: str, batch: int, side: int) -> dict[str, float]:
    """By method: the length of the error of the kernels' gradients over the length of the gradient."""
    def flat(dtype: str) -> np.ndarray:
        case = make_case(network, batch, side, keep_probability=1.0, dtype=dtype)
        _, grads = gradients(case.network, case.loss, case.x, case.target, Run())
        return np.concatenate([g.ravel() for name, g in grads.items() if name.endswith("W")])

    with only("direct"):
        exact = flat("float64")
    errors = {}
    for method in METHODS:
        with only(method):
            errors[method] = float(np.linalg.norm(flat("float32") - exact) / np.linalg.norm(exact))
    return errors


def measure(batch: int, side: int) -> dict[str, Any]:
    """Everything that the JSON file holds."""
    every = dict.fromkeys(shape for network in ("vgg", "unet") for shape in shapes(network, side) if shape.size == 3)
    layers = []
    for done, shape in enumerate(every, 1):
        layers.append({"side": shape.side, "inputs": shape.inputs, "outputs": shape.outputs,
                       "errors": layer_errors(shape, batch)})
        print(f"\r{done}/{len(every)} layers", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {"batch": batch, "side": side, "machine": describe(), "layers": layers,
            "gradients": {network: gradient_error(network, batch, side) for network in ("vgg", "unet")}}


def table(result: dict[str, Any]) -> str:
    """A line for every layer and operation, then one for each network's gradient."""
    lines = [f"{'':<44}" + "".join(f"{method:>10}" for method in METHODS)]
    for row in result["layers"]:
        name = f"{row['side']}x{row['side']}, {row['inputs']} -> {row['outputs']}, "
        lines += [f"{name + operation:<44}" + "".join(f"{error:>10.1e}" for error in errors.values())
                  for operation, errors in row["errors"].items()]
    return "\n".join(lines + [f"{'gradient of the ' + network:<44}" + "".join(f"{errors[m]:>10.1e}" for m in METHODS)
                              for network, errors in result["gradients"].items()])


def draw(path: Path, result: dict[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    axes, whole = figure.subplots(1, 2, width_ratios=(4, 1))
    rows = [(row, operation, errors) for row in result["layers"] for operation, errors in row["errors"].items()]
    for method, marker in zip(METHODS, "os", strict=True):
        axes.plot([errors.get(method) for _, _, errors in rows], marker, label=method, color=COLOURS[method])
        whole.plot([errors[method] for errors in result["gradients"].values()], marker, color=COLOURS[method])
    axes.set_xticks(range(len(rows)), [f"{row['side']}², {row['inputs']}→{row['outputs']} {operation}"
                                       for row, operation, _ in rows], rotation=90, fontsize=5)
    axes.set_ylabel("largest error / largest result")
    axes.set_title("every layer, float32 against float64")
    whole.set_xticks(range(len(result["gradients"])), ["VGG", "U-net"])
    whole.set_xlim(-0.5, 1.5)
    whole.set_ylabel("length of error / length of gradient")
    whole.set_title("whole gradient")
    for each in (axes, whole):
        each.set_yscale("log")
        each.grid(axis="y", alpha=0.3)
    axes.legend()
    save(path, figure)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=positive, default=4, metavar="N", help="images (4)")
    parser.add_argument("--side", type=positive, default=128, metavar="S",
                        help="pixels along a side of the networks' images (128), a multiple of 32")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the errors there (PNG, SVG, PDF)")
    arguments = parser.parse_args()
    if arguments.side % 32:
        parser.error(f"--side {arguments.side}: the networks halve the image five times and need a multiple of 32")
    result = measure(arguments.batch, arguments.side)
    print(table(result))
    if arguments.json:
        write_json(arguments.json, result)
    if arguments.plot:
        draw(arguments.plot, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
