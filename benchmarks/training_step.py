"""How long a training step and an inference take and how much memory, beside PyTorch on the same network.

    python benchmarks/training_step.py --network vgg --batch 8
    python benchmarks/training_step.py --network unet --batch 4 --repeats 7 --json step.json

A training step is forward, loss, backward and Adam; inference is forward with moving averages, nothing kept. Each
engine works in a process of its own, and the two take turns (one step of ours, one of theirs, ...), so that whatever
else the machine does meets both. The ratios are medians over these pairs; above 1, ours is faster or smaller. The limit
is the time that the step's matrix products would take at the speed of the machine's best one (1024 x 1024).
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from machine import describe, processors
from step_worker import MATRIX, Task, serve

WARM_UP = 2
# Threads that have just finished may spin for a moment before they sleep: not in the other's turn.
PAUSE_SECONDS = 0.05
MATRIX_TURNS = 9
# The name of a task's figures in the JSON, and of its memory.
TASKS = {"train": "peak_bytes", "infer": "infer_peak_bytes"}


class Worker:
    """A process for one engine and one task; see step_worker."""

    def __init__(self, task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, task), daemon=True)
        self.process.start()
        other.close()
        self.version = self.connection.recv()

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
    workers = {engine: Worker(Task(engine, kind, arguments.network, arguments.batch, arguments.side, arguments.threads))
               for engine in engines}
    for worker in workers.values():
        worker.steps(WARM_UP)
    turns: dict[str, list[tuple[float, float]]] = {engine: [] for engine in engines}
    for turn in range(repeats):
        for engine, worker in workers.items():
            turns[engine].append(worker.steps(1))
        print(f"\r{kind} {turn + 1}/{repeats}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {engine: {"version": worker.version, "seconds": [wall for wall, _ in turns[engine]],
                     "cpu_seconds": [processor for _, processor in turns[engine]], "peak_bytes": worker.finish()}
            for engine, worker in workers.items()}


def ratio(theirs: list[float], ours: list[float]) -> float:
    """Median over the pairs of theirs / ours."""
    return median(t / o for t, o in zip(theirs, ours, strict=True))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that the JSON file holds."""
    engines = ["ours"] + (["torch"] if importlib.util.find_spec("torch") else [])
    asked = ("network", "batch", "side", "repeats", "threads")
    result: dict[str, Any] = {name: getattr(arguments, name) for name in asked}
    result |= {"machine": describe(), "ours": {}, "torch": {} if "torch" in engines else None}
    turns = {kind: take_turns(engines, kind, arguments.repeats, arguments) for kind in TASKS}
    for kind, peak_name in TASKS.items():
        for engine, measured in turns[kind].items():
            result[engine] |= {
                "version": measured["version"], f"{kind}_seconds": median(measured["seconds"]),
                f"{kind}_cpu_seconds": median(measured["cpu_seconds"]), peak_name: measured["peak_bytes"],
                f"{kind}_seconds_of_each_turn": measured["seconds"]}
    for kind, name in (("train", "speed_ratio"), ("infer", "inference_speed_ratio")):
        seconds = {engine: measured["seconds"] for engine, measured in turns[kind].items()}
        result[name] = ratio(seconds["torch"], seconds["ours"]) if "torch" in engines else None
    return result | {"limit": limit(engines, arguments)}


def limit(engines: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """The speed of the faster of the two libraries' matrix products, and the time of the step's own products at it.

    Measured on one thread, by processor time, and multiplied by the threads: on a machine that does other things too, a
    threaded product waits for its slowest part and tells less than what the processors can do.
    """
    turns = take_turns(engines, "matrix", MATRIX_TURNS, arguments)
    import cases  # only now: while there are workers this process stays small, for their ru_maxrss begins with its own

    fastest = min(min(measured["cpu_seconds"]) for measured in turns.values())
    per_second = arguments.threads * 2 * MATRIX ** 3 / fastest
    train, infer = cases.operations(cases.make_case(arguments.network, arguments.batch, arguments.side))
    return {"matrix_product_gflops": per_second / 1e9, "train_gflop": train / 1e9, "infer_gflop": infer / 1e9,
            "train_seconds": train / per_second, "infer_seconds": infer / per_second}


def table(result: dict[str, Any]) -> str:
    """The result as text: ours, the peer, the ratio, the limit."""
    machine, bound, theirs = result["machine"], result["limit"], result["torch"] or {}
    lines = [f"{result['network']}, batch {result['batch']}, side {result['side']}, {result['threads']} threads, "
             f"{result['repeats']} pairs; {machine['cpu']}, {machine['processors']} processors, "
             f"{bound['matrix_product_gflops']:.0f} GFLOP/s",
             f"{'':<28} {'ours':>10} {'PyTorch':>10} {'ratio':>7} {'limit':>10}"]
    for kind, title in (("train", "training step"), ("infer", "inference")):
        name, floor = f"{kind}_seconds", bound[f"{kind}_seconds"]
        turns = f"{kind}_seconds_of_each_turn"
        quotient = ratio(theirs[turns], result["ours"][turns]) if theirs else None
        lines.append(_line(f"{title}, s", result["ours"][name], theirs.get(name), quotient, 1)
                     + f" {floor:>10.3f}  ours reaches {floor / result['ours'][name]:.0%}")
        memory = (TASKS[kind], "peak memory, MiB", 2 ** 20)
        for suffix, label, unit in ((f"{kind}_cpu_seconds", "processor s", 1), memory):
            own, other = result["ours"][suffix], theirs.get(suffix)
            lines.append(_line(f"  {label}", own, other, other / own if other else None, unit))
    return "\n".join(lines)


def _line(title: str, own: float, other: float | None, quotient: float | None, unit: int) -> str:
    digits = 3 if unit == 1 else 0
    shown = [f"{value / unit:>10.{digits}f}" if value is not None else f"{'-':>10}" for value in (own, other)]
    return f"{title:<28} {shown[0]} {shown[1]} {'-' if quotient is None else format(quotient, '.2f'):>7}"


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("mlp", "vgg", "unet"), default="vgg")
    parser.add_argument("--batch", type=positive, default=8, metavar="N", help="images in a step (8)")
    parser.add_argument("--side", type=positive, default=128, metavar="S",
                        help="pixels along a side (128); for the VGG a multiple of 32, for the U-net of 16")
    parser.add_argument("--repeats", type=positive, default=5, metavar="R", help="pairs of turns (5)")
    parser.add_argument("--threads", type=positive, default=processors(), metavar="T",
                        help="threads of either engine (all processors)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    arguments = parser.parse_args()
    if arguments.side % {"vgg": 32, "unet": 16, "mlp": 1}[arguments.network]:
        parser.error(f"--side {arguments.side}: the {arguments.network} halves the image again and again and needs a "
                     f"multiple of {32 if arguments.network == 'vgg' else 16}")
    result = measure(arguments)
    print(table(result))
    if result["torch"] is None:
        print("PyTorch is not installed: nothing to compare with. To have it:\n"
              "    pip install torch    (a CPU build is enough)", file=sys.stderr)
    if arguments.json:
        temporary = arguments.json.with_name(arguments.json.name + ".part")
        temporary.write_text(json.dumps(result, indent=1) + "\n")
        os.replace(temporary, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
