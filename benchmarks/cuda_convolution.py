"""How long the kernels of a convolution take on a GPU, from the plain one to tensor cores, beside PyTorch's (cuDNN).

    python benchmarks/cuda_convolution.py
    python benchmarks/cuda_convolution.py --network vgg --batch 16 --repeats 9 --json cuda_convolution.json

For every shape of the VGG (A.3.1) and of the U-net (A.3.2), forward with bias and ReLU, and the kernel gradient (3.42).
The input gradient (3.41) is a forward pass with the kernel rotated. The implementations take turns in one process;
seconds are medians by the GPU's own clock (events on one stream), without what the call costs in Python. TFLOP/s count
the direct method's multiplications and additions. fp32: no TF32 anywhere, PyTorch's switched off; tf32: both in TF32.
The error is the largest, in units of the root mean square of the result that the engine computes in float64.
Without a GPU it says so in one line and ends with exit code 2.
"""
from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from convolution import Shape, shapes
from machine import describe, positive
from results import write_json

from engine.arrays import Array
from engine.kernels.cuda import convolution_gradient, convolution_rungs

Calls = dict[str, Callable[[], Any]]
Arrays = tuple[Array, Array, Array, Array]


def numbers(shape: Shape, batch: int, convert: Callable[[np.ndarray], Array]) -> Arrays:
    """x, da, W and b of a shape, of float32 numbers, in the library of `convert`."""
    rng = np.random.default_rng(0)
    x, da, W, b = (convert(rng.standard_normal(size, "float32")) for size in (
        (batch, shape.side, shape.side, shape.inputs), (batch, shape.side, shape.side, shape.outputs),
        (shape.size, shape.size, shape.inputs, shape.outputs), (shape.outputs,)))
    return x, da, W, b


def ours(arrays: Arrays, padding: tuple[int, int]) -> dict[str, Calls]:
    """By operation, by name of the kernel and precision: a call that computes it."""
    x, da, W, b = arrays
    size, around, one = W.shape[:2], (padding, padding), (1, 1)
    rungs = {"plain fp32": convolution_rungs.plain, "tiles fp32": convolution_rungs.tiles,
             "registers fp32": convolution_rungs.registers}
    gradients = {"plain fp32": convolution_gradient.plain, "registers fp32": convolution_gradient.registers}
    if size == (3, 3) and x.shape[3] <= 2:
        rungs["first layer fp32"] = convolution_rungs.first
    if convolution_rungs.width(x, W) == 4:
        rungs["tensor cores tf32"] = convolution_rungs.tf32
    if convolution_rungs.width(x, da) == 4:
        gradients["tensor cores tf32"] = convolution_gradient.tf32
    return {"forward": {name: partial(rung, x, W, b, one, around, True) for name, rung in rungs.items()},
            "kernel gradient": {name: partial(rung, x, da, size, one, around) for name, rung in gradients.items()}}


def exact(arrays: Arrays, padding: tuple[int, int]) -> dict[str, Array]:
    """Both operations in float64."""
    x, da, W, b = (each.astype("float64") for each in arrays)
    calls = ours((x, da, W, b), padding)
    return {operation: named["registers fp32"]() for operation, named in calls.items()}


def pytorchs(arrays: Arrays, padding: tuple[int, int]) -> dict[str, Calls]:
    """PyTorch's, on the same memory, channels-last."""
    import torch

    torch.backends.cudnn.benchmark = True
    x, da = (torch.from_dlpack(each).permute(0, 3, 1, 2) for each in arrays[:2])
    W = torch.from_dlpack(arrays[2]).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    b = torch.from_dlpack(arrays[3])

    def forward() -> Array:
        return torch.nn.functional.conv2d(x, W, b, padding=padding[0]).relu_().permute(0, 2, 3, 1)

    def gradient() -> Array:
        return torch.ops.aten.convolution_backward(da, x, W, None, [1, 1], list(padding), [1, 1], False, [0, 0], 1,
                                                   [False, True, False])[1].permute(2, 3, 1, 0)

    def in_precision(tf32: bool, call: Callable[[], Array]) -> Callable[[], Array]:
        def computed() -> Array:
            torch.backends.cudnn.allow_tf32 = tf32
            return call()

        return computed

    return {operation: {f"PyTorch {name}": in_precision(name == "tf32", call) for name in ("fp32", "tf32")}
            for operation, call in (("forward", forward), ("kernel gradient", gradient))}


def error(result: Array, right: Array) -> float:
    """The largest difference, in units of the root mean square of what is right."""
    return float(abs(result - right).max() / (right ** 2).mean() ** 0.5)


def take_turns(cupy: Any, calls: Calls, repeats: int) -> dict[str, list[float]]:
    """The seconds of every turn, by name, by the GPU's clock."""
    turns: dict[str, list[float]] = {name: [] for name in calls}
    begin, end = cupy.cuda.Event(), cupy.cuda.Event()
    for turn in range(repeats + 1):  # the first is to compile and to warm up
        for name, call in calls.items():
            begin.record()
            call()
            end.record()
            end.synchronize()
            if turn:
                turns[name].append(cupy.cuda.get_elapsed_time(begin, end) / 1e3)
    return turns


def measure(cupy: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that the JSON file holds."""
    names = ("vgg", "unet") if arguments.network == "both" else (arguments.network,)
    every = dict.fromkeys(shape for name in names for shape in shapes(name, arguments.side))
    has_torch = importlib.util.find_spec("torch") is not None
    rows = []
    for shape in every:
        arrays = numbers(shape, arguments.batch, cupy.asarray)
        right = exact(arrays, shape.pad)
        theirs = pytorchs(arrays, shape.pad) if has_torch else {}
        for operation, calls in ours(arrays, shape.pad).items():
            calls |= theirs.get(operation, {})
            errors = {name: error(cupy.asarray(call()), right[operation]) for name, call in calls.items()}
            turns = take_turns(cupy, calls, arguments.repeats)
            rows += [{"side": shape.side, "inputs": shape.inputs, "outputs": shape.outputs, "kernel": shape.size,
                      "operation": operation, "name": name, "seconds": median(seconds), "seconds_of_each_turn": seconds,
                      "tflops": shape.gflop(arguments.batch) / 1e3 / median(seconds), "error": errors[name]}
                     for name, seconds in turns.items()]
    device = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode()
    return {"gpu": device, "machine": describe(), "batch": arguments.batch, "side": arguments.side,
            "repeats": arguments.repeats, "pytorch": version("torch") if has_torch else None, "rows": rows}


def table(result: dict[str, Any]) -> str:
    """A line for every shape, operation and kernel."""
    lines = [f"batch {result['batch']}, {result['repeats']} turns; {result['gpu']}; PyTorch "
             f"{result['pytorch'] or 'is not installed: not compared'}",
             f"{'image':<9} {'channels':<14} {'operation':<16} {'kernel and precision':<22} {'ms':>9} {'TFLOP/s':>9} "
             f"{'error':>9}"]
    for row in result["rows"]:
        image, channels = f"{row['side']}x{row['side']}", f"{row['inputs']} -> {row['outputs']}"
        lines.append(f"{image:<9} {channels:<14} {row['operation']:<16} {row['name']:<22} {row['seconds'] * 1e3:>9.3f} "
                     f"{row['tflops']:>9.2f} {row['error']:>9.0e}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("vgg", "unet", "both"), default="both")
    parser.add_argument("--batch", type=positive, default=50, metavar="N", help="images (50)")
    parser.add_argument("--side", type=positive, default=128, metavar="S",
                        help="pixels along a side of the networks' images (128), a multiple of 32")
    parser.add_argument("--repeats", type=positive, default=9, metavar="R", help="turns of each implementation (9)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    arguments = parser.parse_args()
    if arguments.side % 32:
        parser.error(f"--side {arguments.side}: the networks halve the image five times and need a multiple of 32")
    try:
        import cupy

        cupy.zeros(1)
    except Exception as error:  # of the import, or one of those of CuPy and of the CUDA libraries
        print(f"nothing measured: this needs CuPy and a GPU ({error})", file=sys.stderr)
        return 2
    result = measure(cupy, arguments)
    print(table(result))
    if arguments.json:
        write_json(arguments.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
