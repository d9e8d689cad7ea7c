"""How long every convolution of the VGG (A.3.1) and the U-net (A.3.2) takes: forward and both gradients.

    python benchmarks/convolution.py
    python benchmarks/convolution.py --network vgg --batch 16 --repeats 9
    python benchmarks/convolution.py --network both --batch 4 --json convolution.json --plot convolution.png

For each shape the implementations take turns in one process: "ours", what a layer calls; "direct" and "winograd", which
ours chooses from; "PyTorch", channels-last, where it is installed. Milliseconds are medians; the ratio is the median
over the turns of PyTorch / ours, above 1 ours is faster. The limit is the time of the direct method's multiplications
at the speed of the machine's best matrix product (1024 x 1024): a method that multiplies less may go below it.
"""
from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import instructions
import numpy as np
from cases import make_case
from machine import describe, positive, processors
from results import COLOURS, save, write_json
from threadpoolctl import threadpool_limits

from engine.kernels import correlate, correlate_kernel_gradient
from engine.kernels.cpu import direct, keep_freed_memory, use_threads, winograd
from engine.layer import Run
from engine.layers import Conv2D
from engine.layers.conv2d import rotate
from engine.observing import observe

OPERATIONS = ("forward", "input gradient", "kernel gradient")
COLUMNS = ("ours", "direct", "winograd", "PyTorch")
MATRIX, MATRIX_TURNS = 1024, 9
# Threads that have just finished may spin for a moment before they sleep: not in the other's turn.
PAUSE_SECONDS = 0.02
Calls = dict[str, Callable[[], Any]]


@dataclass(frozen=True)
class Shape:
    """A convolution with stride 1 and as many outputs as inputs: x (N, side, side, inputs), a kernel size x size."""
    side: int
    inputs: int
    outputs: int
    size: int

    @property
    def pad(self) -> tuple[int, int]:
        return self.size // 2, self.size // 2

    def gflop(self, batch: int) -> float:
        """Additions and multiplications of the direct method; the same for all three operations."""
        return 2e-9 * batch * self.side ** 2 * self.size ** 2 * self.inputs * self.outputs


def shapes(network: str, side: int, width: float = 1.0) -> Counter[Shape]:
    """How many layers of each shape the network has, in the order of the pass."""
    found: Counter[Shape] = Counter()

    def see(path: str, layer: Any, x: np.ndarray, y: np.ndarray) -> None:
        if isinstance(layer, Conv2D):
            found[Shape(x.shape[1], x.shape[3], y.shape[3], layer.kernel_size[0])] += 1

    case = make_case(network, 1, side, width)
    observe(case.network, see).forward(case.x, Run(train=False, record=False))
    return found


def implementations(shape: Shape, batch: int, dtype: str = "float32") -> dict[str, Calls]:
    """By operation, by name of the implementation: a call that computes it, all on the same float32 numbers."""
    rng = np.random.default_rng(0)
    x, da, W = (rng.normal(size=size).astype("float32").astype(dtype) for size in (
        (batch, shape.side, shape.side, shape.inputs), (batch, shape.side, shape.side, shape.outputs),
        (shape.size, shape.size, shape.inputs, shape.outputs)))
    b, one, size, pad = W[0, 0, 0].copy(), (1, 1), (shape.size, shape.size), (shape.pad, shape.pad)
    calls: dict[str, Calls] = {
        "forward": {"ours": lambda: correlate(x, W, b, one, pad),
                    "direct": lambda: direct.correlate(x, W, b, one, pad)},
        "input gradient": {"ours": lambda: correlate(da, rotate(W), None, one, pad),
                           "direct": lambda: direct.correlate(da, rotate(W), None, one, pad)},
        "kernel gradient": {"ours": lambda: correlate_kernel_gradient(x, da, size, one, pad),
                            "direct": lambda: direct.kernel_gradient(x, da, size, one, pad)}}
    if shape.size == 3:
        calls["forward"]["winograd"] = lambda: winograd.correlate(x, W, b, pad)
        calls["input gradient"]["winograd"] = lambda: winograd.correlate(da, rotate(W), None, pad)
        calls["kernel gradient"]["winograd"] = lambda: winograd.kernel_gradient(x, da, pad)
    if importlib.util.find_spec("torch"):
        for operation, call in _torch(x, da, W, b, shape).items():
            calls[operation]["PyTorch"] = call
    if shape.inputs == 1:
        del calls["input gradient"]  # of the images: training does not need it
    return calls


def _torch(x: np.ndarray, da: np.ndarray, W: np.ndarray, b: np.ndarray, shape: Shape) -> Calls:
    import torch

    image, gradient = (torch.from_numpy(array).permute(0, 3, 1, 2) for array in (x, da))
    kernel = torch.from_numpy(W.transpose(3, 2, 0, 1).copy()).contiguous(memory_format=torch.channels_last)
    bias, pad = torch.from_numpy(b), list(shape.pad)

    def backward(*wanted: bool) -> Any:
        return torch.ops.aten.convolution_backward(gradient, image, kernel, None, [1, 1], pad, [1, 1], False, [0, 0], 1,
                                                   list(wanted))

    return {"forward": lambda: torch.nn.functional.conv2d(image, kernel, bias, padding=pad),
            "input gradient": lambda: backward(True, False, False)[0],
            "kernel gradient": lambda: backward(False, True, False)[1]}


def take_turns(calls: Calls, repeats: int) -> dict[str, list[float]]:
    """The seconds of every turn, by name."""
    turns: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):  # the first is to warm up
        for name, call in calls.items():
            time.sleep(PAUSE_SECONDS)
            started = time.perf_counter()
            call()
            if turn:
                turns[name].append(time.perf_counter() - started)
    return turns


def matrix_product_gflops(threads: int) -> float:
    """The best of several products on one thread, by processor time, times the threads."""
    a = np.random.default_rng(0).random((MATRIX, MATRIX), dtype=np.float32)
    seconds = []
    with threadpool_limits(1):
        for _ in range(MATRIX_TURNS):
            started = time.process_time()
            a @ a
            seconds.append(time.process_time() - started)
    return threads * 2e-9 * MATRIX ** 3 / min(seconds)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that the JSON file holds."""
    keep_freed_memory()
    use_threads(arguments.threads)
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(arguments.threads)
    names = ("vgg", "unet") if arguments.network == "both" else (arguments.network,)
    layers = {name: shapes(name, arguments.side) for name in names}
    speed = matrix_product_gflops(arguments.threads)
    rows = []
    every = list(dict.fromkeys(shape for found in layers.values() for shape in found))
    for done, shape in enumerate(every, 1):
        for operation, calls in implementations(shape, arguments.batch).items():
            turns = take_turns(calls, arguments.repeats)
            gflop = shape.gflop(arguments.batch)
            ratios = [t / o for t, o in zip(turns.get("PyTorch", []), turns["ours"], strict=False)]
            row = {"side": shape.side, "inputs": shape.inputs, "outputs": shape.outputs, "kernel": shape.size,
                   "operation": operation, "layers": {name: layers[name][shape] for name in names}}
            rows.append(row | {"gflop": gflop, "limit_seconds": gflop / speed,
                               "seconds": {name: median(seconds) for name, seconds in turns.items()},
                               "seconds_of_each_turn": turns, "speed_ratio": median(ratios) if ratios else None})
        print(f"\r{done}/{len(every)} shapes", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    asked = {name: getattr(arguments, name) for name in ("network", "batch", "side", "repeats", "threads")}
    return asked | {"machine": describe(), "matrix_product_gflops": speed, "rows": rows}


def table(result: dict[str, Any]) -> str:
    """A line for every shape and operation, milliseconds; then the sum over the layers of each network."""
    lines = [f"batch {result['batch']}, {result['threads']} threads, {result['repeats']} turns; "
             f"{result['machine']['cpu']}, {result['matrix_product_gflops']:.0f} GFLOP/s; milliseconds",
             f"{'image':<9} {'channels':<12} {'operation':<16}" + "".join(f"{name:>10}" for name in COLUMNS)
             + f"{'ratio':>7} {'limit':>8}"]
    for row in result["rows"]:
        lines.append(_line(f"{row['side']}x{row['side']}", f"{row['inputs']} -> {row['outputs']}", row["operation"],
                           row["seconds"], row["speed_ratio"], row["limit_seconds"]))
    for network in result["rows"][0]["layers"]:
        weighted = [(row["layers"][network], row) for row in result["rows"] if row["layers"][network]]
        # Winograd's sum would lack the layers that it cannot do.
        sums = {name: sum(count * row["seconds"][name] for count, row in weighted) for name in COLUMNS
                if all(name in row["seconds"] for _, row in weighted)}
        lines.append(_line(network, "all layers", "all", sums, sums["PyTorch"] / sums["ours"] if "PyTorch" in sums
                           else None, sum(count * row["limit_seconds"] for count, row in weighted)))
    return "\n".join(lines)


def _line(image: str, channels: str, operation: str, seconds: dict[str, float], ratio: float | None,
          limit: float) -> str:
    shown = "".join(f"{seconds[name] * 1e3:>10.2f}" if name in seconds else f"{'-':>10}" for name in COLUMNS)
    return (f"{image:<9} {channels:<12} {operation:<16}{shown}{'-' if ratio is None else format(ratio, '.2f'):>7} "
            f"{limit * 1e3:>8.2f}")


def draw(path: Path, result: dict[str, Any]) -> None:
    """A panel for each operation: the direct method's GFLOP over the seconds taken, for every shape."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 10), layout="constrained")
    for axes, operation in zip(figure.subplots(3, 1), OPERATIONS, strict=True):
        rows = [row for row in result["rows"] if row["operation"] == operation]
        for name, marker in zip(COLUMNS, "os^D", strict=True):
            points = [(place, row["gflop"] / row["seconds"][name]) for place, row in enumerate(rows)
                      if name in row["seconds"]]
            if points:
                axes.plot(*zip(*points, strict=True), marker, label=name, color=COLOURS[name],
                          markerfacecolor=COLOURS[name] if name in ("ours", "PyTorch") else "none")
        axes.axhline(result["matrix_product_gflops"], color=COLOURS["limit"], label="matrix product")
        axes.set_xticks(range(len(rows)), [f"{row['side']}²\n{row['inputs']}→\n{row['outputs']}" for row in rows],
                        fontsize=7)
        axes.set_ylabel("direct method's GFLOP/s")
        axes.set_title(operation)
        axes.set_ylim(bottom=0)
    axes.set_xlabel("pixels of the image, channels in and out")
    figure.axes[0].legend(ncols=len(COLUMNS) + 1)
    save(path, figure)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("vgg", "unet", "both"), default="both")
    parser.add_argument("--batch", type=positive, default=8, metavar="N", help="images (8)")
    parser.add_argument("--side", type=positive, default=128, metavar="S",
                        help="pixels along a side of the networks' images (128), a multiple of 32")
    parser.add_argument("--repeats", type=positive, default=5, metavar="R", help="turns of each implementation (5)")
    parser.add_argument("--threads", type=positive, default=processors(), metavar="T",
                        help="threads of either engine (all processors)")
    instructions.add_flag(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the speeds there (PNG, SVG, PDF)")
    arguments = parser.parse_args()
    if arguments.side % 32:
        parser.error(f"--side {arguments.side}: the networks halve the image five times and need a multiple of 32")
    result = measure(arguments)
    print(table(result))
    if not importlib.util.find_spec("torch"):
        print("PyTorch is not installed: not compared. To have it:\n    pip install torch    (a CPU build is enough)",
              file=sys.stderr)
    if arguments.json:
        write_json(arguments.json, result)
    if arguments.plot:
        draw(arguments.plot, result)
    return 0


if __name__ == "__main__":
    instructions.apply()
    sys.exit(main())
