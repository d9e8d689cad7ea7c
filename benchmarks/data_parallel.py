"""How long a training step of the VGG takes on several ranks, beside one process with all their threads together.

    mpiexec -n 2 python benchmarks/data_parallel.py
    mpiexec -n 2 python benchmarks/data_parallel.py --width 0.25 1 --batch 16 --turns 7 --json FILE

A step is forward, loss, backward, the sum of the gradients and Adam, on a batch that is split among the ranks. In turns
with one process on the whole batch: rank 0 itself, while the others sleep. It has --threads threads (all processors of
the machine), and each rank its share of them. The ratio is the median over the pairs; above 1, the ranks are faster.
"the sum" is that of the gradients alone, which is in the step. What else the machine does is in the numbers: it meets
both, but it holds up the ranks more, since they wait for the slowest of them.
"""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cases import make_case
from machine import describe, positive, processors
from results import write_json

from engine.kernels.cpu import keep_freed_memory, use_threads
from engine.layer import parameter_count
from engine.mpi import bytes_of_step
from engine.optimizers import Adam
from engine.reduction import Ranks, rows_of
from engine.training import train
from experiments.system.ranks import ProcessRanks, process_ranks

WARM_UP = 2


def seconds_per_step(batch: int, side: int, width: float, steps: int, threads: int, ranks: Ranks | None) -> float:
    """Of the mean of `steps` steps after two more; of the ranks' own rows, where there are any."""
    use_threads(threads)
    case = make_case("vgg", batch, side, width)
    mine = slice(None) if ranks is None else rows_of(batch, ranks.rank, ranks.size)
    given = [(case.x[mine], case.target[mine])] * (WARM_UP + steps)
    optimizer = Adam(case.network.parameters())
    started = 0.0
    for step in train(case.network, case.loss, optimizer, given, 1e-5, 0, ranks=ranks):
        if step.number == WARM_UP:
            started = time.perf_counter()
    return (time.perf_counter() - started) / steps


def seconds_of_sum(numbers: int, steps: int, ranks: Ranks) -> float:
    array = np.zeros(numbers, np.float32)
    ranks.sum(array)
    started = time.perf_counter()
    for _ in range(steps):
        ranks.sum(array)
    return (time.perf_counter() - started) / steps


def along(ranks: Ranks, measured: Callable[..., float], *arguments: Any) -> None:
    """What another rank does for a turn of all ranks."""
    measured(*arguments, ranks)


def together(ranks: ProcessRanks, measured: Callable[..., float], *arguments: Any) -> float:
    ranks.call(along, measured, *arguments)
    taken = measured(*arguments, ranks)
    ranks.engaged = False
    return taken


def measure(width: float, arguments: argparse.Namespace, ranks: ProcessRanks) -> dict[str, Any]:
    each = max(1, arguments.threads // ranks.size)
    network = make_case("vgg", 1, arguments.side, width).network
    numbers = parameter_count(network)
    step = (arguments.batch, arguments.side, width, arguments.steps)
    alone, shared, sums = [], [], []
    for _ in range(arguments.turns):
        alone.append(seconds_per_step(*step, arguments.threads, None))
        shared.append(together(ranks, seconds_per_step, *step, each))
        sums.append(together(ranks, seconds_of_sum, numbers, arguments.steps))
    return {"width": width, "batch": arguments.batch, "side": arguments.side, "parameters": numbers,
            "ranks": ranks.size, "threads": arguments.threads, "threads_of_a_rank": each,
            "bytes_sent_by_a_rank": bytes_of_step(network, ranks.size), "one_process_seconds": alone,
            "ranks_seconds": shared, "sum_seconds": sums,
            "ratios": [one / other for one, other in zip(alone, shared, strict=True)], "machine": describe()}


def row(result: dict[str, Any]) -> str:
    ratios = result["ratios"]
    return (f"| VGG, width {result['width']:g} | {result['parameters']:,} "
            f"| {median(result['one_process_seconds']):.3f} | {median(result['ranks_seconds']):.3f} "
            f"| {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
            f"| {median(result['sum_seconds']):.3f} | {result['bytes_sent_by_a_rank'] / 1e6:.1f} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, nargs="+", default=[0.25, 1.0], metavar="W",
                        help="of the VGG (0.25, the quick preset's, and 1)")
    parser.add_argument("--batch", type=positive, default=16, metavar="N", help="images in a step, of all ranks (16)")
    parser.add_argument("--side", type=positive, default=128, metavar="S", help="pixels along a side (128)")
    parser.add_argument("--turns", type=positive, default=5, metavar="T", help="of each of the two (5)")
    parser.add_argument("--steps", type=positive, default=3, metavar="K", help="in a turn (3)")
    parser.add_argument("--threads", type=positive, default=processors(), metavar="T",
                        help="of the one process, and of all ranks together (all processors)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there: a list")
    arguments = parser.parse_args()
    keep_freed_memory()  # as the commands do
    ranks = process_ranks()
    if ranks is None:
        parser.error("one process alone: start it by mpiexec -n 2 python benchmarks/data_parallel.py")
    if ranks.rank:
        return ranks.serve()
    print(f"{ranks.size} ranks, batch {arguments.batch}, {arguments.side}x{arguments.side}, {arguments.threads} "
          f"threads in all, {describe()['cpu']}\n\n"
          "| network | parameters | one process, s | ranks, s | ratio | the sum, s | MB sent by a rank |\n"
          "|---|---|---|---|---|---|---|", flush=True)
    results = []
    for width in arguments.width:
        results.append(measure(width, arguments, ranks))
        print(row(results[-1]), flush=True)
        if arguments.json:
            write_json(arguments.json, results)
    ranks.end(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
