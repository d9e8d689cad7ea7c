"""How long a training step and an inference take and how much memory, beside PyTorch and TensorFlow.

    python benchmarks/training_step.py
    python benchmarks/training_step.py --network vgg unet --batch 1 8 16 50 --json step.json --plot step.png
    python benchmarks/training_step.py --network vgg unet --side 64 128 256 512 --batch 2
    python benchmarks/training_step.py --network vgg unet --batch 50 --recompute
    python benchmarks/training_step.py --network vgg --batch 16 --instructions avx2
    python benchmarks/training_step.py --network vgg --width 0.25 --side 64 --batch 32    of the quick preset

A training step is forward, loss, backward and Adam; inference is forward with moving averages, nothing kept. Each
engine works in a process of its own, and they take turns (half a second of ours, the same steps of theirs, ...), so
that whatever else the machine does meets all. The ratios are medians over these pairs; above 1, ours is faster or
smaller. The limit is the time that the step's matrix products would take at the speed of the machine's best one
(1024 x 1024).
"""
from __future__ import annotations

import argparse
import importlib.util
import math
import multiprocessing
import sys
import time
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import instructions
from machine import describe, positive, processors, width
from results import write_json
from step_report import COMPARED, PEERS, TASKS, draw, ratio, table
from step_worker import MATRIX, Task, serve

WARM_UP = 2
# Threads that have just finished may spin for a moment before they sleep: not in the other's turn.
PAUSE_SECONDS = 0.05
MATRIX_TURNS = 9
# What the sides of a network's images must be a multiple of.
MULTIPLE = {"mlp": 1, "vgg": 32, "unet": 16}
# A turn is as many steps as take about so long: a single short one would mostly measure how a processor wakes up.
TURN_SECONDS = 0.5


class Worker:
    """A process for one engine and one task; see step_worker."""

    def __init__(self, task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, task), daemon=True)
        self.process.start()
        other.close()

    def version(self) -> str:
        """The engine's; asked for first, since the process says it as soon as it is ready."""
        return self.connection.recv()

    def steps(self, count: int) -> tuple[float, float]:
        """(seconds, processor seconds) of a step, the mean of `count` of them."""
        time.sleep(PAUSE_SECONDS)
        self.connection.send(count)
        return self.connection.recv()

    def finish(self) -> int:
        """Ends the process; its peak memory in bytes."""
        self.connection.send(None)
        peak = self.connection.recv()
        self.process.join()
        return peak


def take_turns(engines: list[str], kind: str, repeats: int,
               arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """For each engine: its version, the seconds and processor seconds of every turn, its peak memory."""
    workers = {engine: Worker(Task(engine, kind, arguments.network, arguments.batch, arguments.side, arguments.threads,
                                  arguments.width))
               for engine in engines}
    versions = {engine: worker.version() for engine, worker in workers.items()}
    for worker in workers.values():
        worker.steps(WARM_UP)
    steps = math.ceil(TURN_SECONDS / min(worker.steps(1)[0] for worker in workers.values()))
    turns: dict[str, list[tuple[float, float]]] = {engine: [] for engine in engines}
    started = time.monotonic()
    for turn in range(1, repeats + 1):
        for engine, worker in workers.items():
            turns[engine].append(worker.steps(steps))
        left = (time.monotonic() - started) / turn * (repeats - turn)
        print(f"\r{kind} {turn}/{repeats}, about {left:.0f} s left   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {engine: {"version": versions[engine], "seconds": [wall for wall, _ in turns[engine]],
                     "cpu_seconds": [processor for _, processor in turns[engine]], "peak_bytes": worker.finish()}
            for engine, worker in workers.items()}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that the JSON file holds. What was not measured is null, and so are its ratios."""
    peers = [peer for peer in PEERS if importlib.util.find_spec(peer)]
    engines = ["ours", *(["recomputing"] if arguments.recompute else []), *peers]
    asked = ("network", "batch", "side", "width", "repeats", "threads", "instructions")
    result: dict[str, Any] = {name: getattr(arguments, name) for name in asked}
    result |= {"machine": describe()} | {name: {} if name in engines else None for name in ("ours", *COMPARED)}
    turns = {kind: take_turns(engines, kind, arguments.repeats, arguments) for kind in TASKS}
    for kind, peak_name in TASKS.items():
        for engine, measured in turns[kind].items():
            result[engine] |= {
                "version": measured["version"], f"{kind}_seconds": median(measured["seconds"]),
                f"{kind}_cpu_seconds": median(measured["cpu_seconds"]), peak_name: measured["peak_bytes"],
                f"{kind}_seconds_of_each_turn": measured["seconds"]}
    for other, (_, ending) in COMPARED.items():
        for kind, name in (("train", "speed_ratio"), ("infer", "inference_speed_ratio")):
            seconds = {engine: measured["seconds"] for engine, measured in turns[kind].items()}
            result[name + ending] = ratio(seconds[other], seconds["ours"]) if other in engines else None
    return result | {"limit": limit(["ours", *peers], arguments)}


def limit(engines: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """The speed of the faster of the two libraries' matrix products, and the time of the step's own products at it.

    Measured on one thread, by processor time, and multiplied by the threads: on a machine that does other things too, a
    threaded product waits for its slowest part and tells less than what the processors can do.
    """
    turns = take_turns(engines, "matrix", MATRIX_TURNS, arguments)
    import cases  # only now: while there are workers this process stays small, for their ru_maxrss begins with its own

    fastest = min(min(measured["cpu_seconds"]) for measured in turns.values())
    per_second = arguments.threads * 2 * MATRIX ** 3 / fastest
    case = cases.make_case(arguments.network, arguments.batch, arguments.side, arguments.width)
    train, infer = cases.operations(case)
    return {"matrix_product_gflops": per_second / 1e9, "train_gflop": train / 1e9, "infer_gflop": infer / 1e9,
            "train_seconds": train / per_second, "infer_seconds": infer / per_second}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("mlp", "vgg", "unet"), nargs="+", default=["vgg"])
    parser.add_argument("--batch", type=positive, nargs="+", default=[8], metavar="N", help="images in a step (8)")
    parser.add_argument("--side", type=positive, nargs="+", default=[128], metavar="S",
                        help="pixels along a side (128); for the VGG a multiple of 32, for the U-net of 16")
    parser.add_argument("--width", type=width, default=1.0, metavar="W",
                        help="multiplies the channels of the vgg and the unet (1)")
    parser.add_argument("--repeats", type=positive, default=5, metavar="R", help="turns of each engine (5)")
    parser.add_argument("--threads", type=positive, default=processors(), metavar="T",
                        help="threads of every engine (all processors)")
    parser.add_argument("--recompute", action="store_true",
                        help="ours, keeping less and computing it once more, takes turns, too")
    instructions.add_flag(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there: a list")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios there (PNG, SVG, PDF)")
    arguments = parser.parse_args()
    for network, side in product(arguments.network, arguments.side):
        if side % MULTIPLE[network]:
            parser.error(f"--side {side}: the {network} halves the image again and again and needs a multiple of "
                         f"{MULTIPLE[network]}")
        if arguments.recompute and network == "mlp":
            parser.error("--recompute: an option of the vgg and the unet")
    results: list[dict[str, Any]] = []
    for network, side, batch in product(arguments.network, arguments.side, arguments.batch):
        one = {"network": network, "side": side, "batch": batch}
        results.append(measure(argparse.Namespace(**vars(arguments) | one)))
        print(table(results[-1]), flush=True)
        if arguments.json:  # after each: nothing measured is lost
            write_json(arguments.json, results)
    for key, (name, command, _) in PEERS.items():
        if results[0][key] is None:
            print(f"{name} is not installed: not compared. To have it:\n    {command}", file=sys.stderr)
    if arguments.plot:
        draw(arguments.plot, results)
    return 0


if __name__ == "__main__":
    instructions.apply()
    sys.exit(main())
