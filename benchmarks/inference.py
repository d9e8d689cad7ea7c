"""How long inference takes, beside PyTorch, TensorFlow, and onnxruntime and OpenVINO, which compute the ONNX file that
engine.onnx makes of the network.

    python benchmarks/inference.py
    python benchmarks/inference.py --network vgg unet --batch 1 8 16 50 --json inference.json
    python benchmarks/inference.py --instructions avx2

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

import instructions
from machine import describe, positive, processors, width
from results import write_json
from step_report import ratio
from training_step import MULTIPLE, take_turns

# How a peer is called, what it needs
PEERS = {"torch": ("PyTorch", ("torch",)), "tensorflow": ("TensorFlow", ("tensorflow",)),
         "onnxruntime": ("onnxruntime", ("onnx", "onnxruntime")), "openvino": ("OpenVINO", ("onnx", "openvino"))}
PACKAGES = {"tensorflow": "tensorflow-cpu"}  # those that pip knows under another name


def installed() -> list[str]:
    """The peers that can be compared with; of each other one it says how to have it."""
    found = []
    for name, (title, needed) in PEERS.items():
        if all(importlib.util.find_spec(each) for each in needed):
            found.append(name)
        else:
            packages = " ".join(PACKAGES.get(each, each) for each in needed)
            print(f"{title} is not installed: not compared. To have it:\n    pip install {packages}", file=sys.stderr)
    return found


def measure(peers: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """A row of the JSON file: of each engine its version and the seconds of every turn; of each peer the ratio."""
    turns = take_turns(["ours", "prepared", *peers], "infer", arguments.repeats, arguments)
    seconds = {engine: measured["seconds"] for engine, measured in turns.items()}
    asked = ("network", "batch", "side", "width", "repeats", "threads", "instructions")
    return {name: getattr(arguments, name) for name in asked} | {
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
    parser.add_argument("--width", type=width, default=1.0, metavar="W",
                        help="multiplies the channels of the vgg and the unet (1)")
    parser.add_argument("--repeats", type=positive, default=5, metavar="R", help="turns of each engine (5)")
    parser.add_argument("--threads", type=positive, default=processors(), metavar="T",
                        help="threads of every engine (all processors)")
    instructions.add_flag(parser)
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
    instructions.apply()
    sys.exit(main())
