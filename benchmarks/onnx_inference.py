"""How long inference takes, beside onnxruntime and OpenVINO, which compute the ONNX file that engine.onnx makes of it.

    python benchmarks/onnx_inference.py
    python benchmarks/onnx_inference.py --network vgg unet --batch 1 8 16 50 --json onnx.json

Each engine works in a process of its own, in float32 and on as many threads, and they take turns, as training steps do
in training_step.py. Ours runs as it is, and prepared for repeated inference (engine.prepared), as the sessions of the
others are; the ratios are medians over the turns with the latter; above 1, ours is faster.
"""
from __future__ import annotations

import argparse
import importlib.util
import sys
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from machine import describe, positive, processors
from results import write_json
from step_report import ratio
from training_step import MULTIPLE, take_turns

PEERS = {"onnxruntime": ("onnxruntime", "pip install onnx onnxruntime"),
         "openvino": ("OpenVINO", "pip install onnx openvino")}


def installed() -> list[str]:
    """The peers that can be compared with; of each other one it says how to have it."""
    found = []
    for name, (title, command) in PEERS.items():
        if all(importlib.util.find_spec(each) for each in ("onnx", name)):
            found.append(name)
        else:
            print(f"{title} is not installed: not compared. To have it:\n    {command}", file=sys.stderr)
    return found


def measure(peers: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """A row of the JSON file: of each engine its version and the seconds of every turn; of each peer the ratio."""
    turns = take_turns(["ours", "prepared", *peers], "infer", arguments.repeats, arguments)
    seconds = {engine: measured["seconds"] for engine, measured in turns.items()}
    return {name: getattr(arguments, name) for name in ("network", "batch", "side", "repeats", "threads")} | {
        "machine": describe(), "versions": {engine: measured["version"] for engine, measured in turns.items()},
        "seconds_of_each_turn": seconds, "seconds": {engine: median(each) for engine, each in seconds.items()},
        "ratio": {peer: ratio(seconds[peer], seconds["prepared"]) for peer in peers}}


def line(row: dict[str, Any]) -> str:
    """A row as text."""
    others = "".join(f"  {PEERS[peer][0]} {row['seconds'][peer]:8.4f} s, ratio {value:5.2f}"
                     for peer, value in row["ratio"].items())
    return (f"{row['network']:>5}, batch {row['batch']:>3}: ours {row['seconds']['ours']:8.4f} s, "
            f"prepared {row['seconds']['prepared']:8.4f} s{others}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("mlp", "vgg", "unet"), nargs="+", default=["vgg", "unet"])
    parser.add_argument("--batch", type=positive, nargs="+", default=[1, 8, 16, 50], metavar="N", help="(1 8 16 50)")
    parser.add_argument("--side", type=positive, default=128, metavar="S", help="pixels along a side (128)")
    parser.add_argument("--repeats", type=positive, default=5, metavar="R", help="turns of each engine (5)")
    parser.add_argument("--threads", type=positive, default=processors(), metavar="T",
                        help="threads of every engine (all processors)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there: a list")
    arguments = parser.parse_args()
    for network in arguments.network:
        if arguments.side % MULTIPLE[network]:
            parser.error(f"--side {arguments.side}: the {network} needs a multiple of {MULTIPLE[network]}")
    peers, rows = installed(), []
    for network, batch in product(arguments.network, arguments.batch):
        rows.append(measure(peers, argparse.Namespace(**vars(arguments) | {"network": network, "batch": batch})))
        print(line(rows[-1]), flush=True)
        if arguments.json:  # after each: nothing measured is lost
            write_json(arguments.json, rows)
    print(", ".join(rows[-1]["versions"].values()), f"; {describe()['cpu']}, {arguments.threads} threads", sep="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
