"""How long a training step and an inference take and how much memory, beside PyTorch and TensorFlow.

    python benchmarks/training_step.py --network vgg --batch 8
    python benchmarks/training_step.py --network unet --batch 4 --repeats 7 --json step.json --plot step.png
    python benchmarks/training_step.py --network unet --recompute

A training step is forward, loss, backward and Adam; inference is forward with moving averages, nothing kept. Each
engine works in a process of its own, and they take turns (one step of ours, one of theirs, ...), so that whatever
else the machine does meets all. The ratios are medians over these pairs; above 1, ours is faster or smaller. The limit
is the time that the step's matrix products would take at the speed of the machine's best one (1024 x 1024).
"""
from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from machine import describe, positive, processors
from step_worker import MATRIX, Task, serve

WARM_UP = 2
# Threads that have just finished may spin for a moment before they sleep: not in the other's turn.
PAUSE_SECONDS = 0.05
MATRIX_TURNS = 9
# The name of a task's figures in the JSON, and of its memory.
TASKS = {"train": "peak_bytes", "infer": "infer_peak_bytes"}
# The engines beside ours: how they are called, how they are installed, how their ratios end in the JSON.
PEERS = {"torch": ("PyTorch", "pip install torch    (a CPU build is enough)", ""),
         "tensorflow": ("TensorFlow", "pip install tensorflow-cpu", "_tensorflow")}


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
                                   arguments.recompute)) for engine in engines}
    versions = {engine: worker.version() for engine, worker in workers.items()}
    for worker in workers.values():
        worker.steps(WARM_UP)
    turns: dict[str, list[tuple[float, float]]] = {engine: [] for engine in engines}
    for turn in range(repeats):
        for engine, worker in workers.items():
            turns[engine].append(worker.steps(1))
        print(f"\r{kind} {turn + 1}/{repeats}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {engine: {"version": versions[engine], "seconds": [wall for wall, _ in turns[engine]],
                     "cpu_seconds": [processor for _, processor in turns[engine]], "peak_bytes": worker.finish()}
            for engine, worker in workers.items()}


def ratio(theirs: list[float], ours: list[float]) -> float:
    """Median over the pairs of theirs / ours."""
    return median(t / o for t, o in zip(theirs, ours, strict=True))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that the JSON file holds. A peer that is not installed is null, and so are its ratios."""
    engines = ["ours"] + [peer for peer in PEERS if importlib.util.find_spec(peer)]
    asked = ("network", "batch", "side", "repeats", "threads", "recompute")
    result: dict[str, Any] = {name: getattr(arguments, name) for name in asked}
    result |= {"machine": describe()} | {name: {} if name in engines else None for name in ("ours", *PEERS)}
    turns = {kind: take_turns(engines, kind, arguments.repeats, arguments) for kind in TASKS}
    for kind, peak_name in TASKS.items():
        for engine, measured in turns[kind].items():
            result[engine] |= {
                "version": measured["version"], f"{kind}_seconds": median(measured["seconds"]),
                f"{kind}_cpu_seconds": median(measured["cpu_seconds"]), peak_name: measured["peak_bytes"],
                f"{kind}_seconds_of_each_turn": measured["seconds"]}
    for peer, (_, _, ending) in PEERS.items():
        for kind, name in (("train", "speed_ratio"), ("infer", "inference_speed_ratio")):
            seconds = {engine: measured["seconds"] for engine, measured in turns[kind].items()}
            result[name + ending] = ratio(seconds[peer], seconds["ours"]) if peer in engines else None
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
    """The result as text: ours, each peer with its ratio, the limit."""
    machine, bound = result["machine"], result["limit"]
    peers = {name: result[key] for key, (name, _, _) in PEERS.items() if result[key]}
    lines = [f"{result['network']}, batch {result['batch']}, side {result['side']}, {result['threads']} threads, "
             f"{result['repeats']} turns; {machine['cpu']}, {machine['processors']} processors, "
             f"{bound['matrix_product_gflops']:.0f} GFLOP/s" + (", ours recomputing" if result["recompute"] else ""),
             f"{'':<22} {'ours':>10}" + "".join(f" {name:>10} {'ratio':>7}" for name in peers) + f" {'limit':>10}"]
    for kind, title in (("train", "training step"), ("infer", "inference")):
        floor, own, turns = bound[f"{kind}_seconds"], result["ours"], f"{kind}_seconds_of_each_turn"
        for label, name, unit in ((f"{title}, s", f"{kind}_seconds", 1), ("  processor s", f"{kind}_cpu_seconds", 1),
                                  ("  peak memory, MiB", TASKS[kind], 2 ** 20)):
            digits = 3 if unit == 1 else 0
            line = f"{label:<22} {own[name] / unit:>10.{digits}f}"
            for theirs in peers.values():
                quotient = ratio(theirs[turns], own[turns]) if name == f"{kind}_seconds" else theirs[name] / own[name]
                line += f" {theirs[name] / unit:>10.{digits}f} {quotient:>7.2f}"
            if name == f"{kind}_seconds":
                line += f" {floor:>10.3f}  ours reaches {floor / own[name]:.0%}"
            lines.append(line)
    return "\n".join(lines)


def bars(result: dict[str, Any]) -> dict[str, dict[str, list[float]]]:
    """For the picture: by panel, by name of a bar, the seconds per image of every turn (of the limit: one number)."""
    names = {"ours": "ours"} | {key: name for key, (name, _, _) in PEERS.items() if result[key]}
    return {title: {name: [seconds / result["batch"] for seconds in result[key][f"{kind}_seconds_of_each_turn"]]
                    for key, name in names.items()} | {"limit": [result["limit"][f"{kind}_seconds"] / result["batch"]]}
            for kind, title in (("train", "training step"), ("infer", "inference"))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("mlp", "vgg", "unet"), default="vgg")
    parser.add_argument("--batch", type=positive, default=8, metavar="N", help="images in a step (8)")
    parser.add_argument("--side", type=positive, default=128, metavar="S",
                        help="pixels along a side (128); for the VGG a multiple of 32, for the U-net of 16")
    parser.add_argument("--repeats", type=positive, default=5, metavar="R", help="turns of each engine (5)")
    parser.add_argument("--threads", type=positive, default=processors(), metavar="T",
                        help="threads of every engine (all processors)")
    parser.add_argument("--recompute", action="store_true", help="ours keeps less and computes it once more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the seconds per image there (PNG, SVG, PDF)")
    arguments = parser.parse_args()
    if arguments.side % {"vgg": 32, "unet": 16, "mlp": 1}[arguments.network]:
        parser.error(f"--side {arguments.side}: the {arguments.network} halves the image again and again and needs a "
                     f"multiple of {32 if arguments.network == 'vgg' else 16}")
    if arguments.recompute and arguments.network != "unet":
        parser.error("--recompute: an option of the unet")
    result = measure(arguments)
    print(table(result))
    for key, (name, command, _) in PEERS.items():
        if result[key] is None:
            print(f"{name} is not installed: not compared. To have it:\n    {command}", file=sys.stderr)
    from results import draw_bars, write_json

    if arguments.json:
        write_json(arguments.json, result)
    if arguments.plot:
        draw_bars(arguments.plot, bars(result), f"{arguments.network}, batch {arguments.batch}, "
                  f"{arguments.side}x{arguments.side}, {arguments.threads} threads", "seconds per image")
    return 0


if __name__ == "__main__":
    sys.exit(main())
