"""The comparison of training steps as text and as a picture."""
from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from results import COLOURS, save

# What a task is called and the name of its peak memory in the JSON; the engines beside ours: how they are called, how
# they are installed, how their ratios end in the JSON.
TASKS = {"train": "peak_bytes", "infer": "infer_peak_bytes"}
PEERS = {"torch": ("PyTorch", "pip install torch    (a CPU build is enough)", ""),
         "tensorflow": ("TensorFlow", "pip install tensorflow-cpu", "_tensorflow")}
# How a peer's points look in the picture; a line is solid for training and dashed for inference.
MARKS = {"PyTorch": {"marker": "o"}, "TensorFlow": {"marker": "^", "markerfacecolor": "white"}}
# What may take turns with ours: how it is called, how its ratios end in the JSON.
COMPARED = {"recomputing": ("recomputing", "_recomputing"),
            **{key: (name, ending) for key, (name, _, ending) in PEERS.items()}}


def ratio(theirs: list[float], ours: list[float]) -> float:
    """Median over the pairs of theirs / ours."""
    return median(t / o for t, o in zip(theirs, ours, strict=True))


def table(result: dict[str, Any]) -> str:
    """The result as text: ours, what it is compared with and the ratio, the limit."""
    machine, bound = result["machine"], result["limit"]
    others = {name: result[key] for key, (name, _) in COMPARED.items() if result[key]}
    lines = [f"{result['network']}, batch {result['batch']}, side {result['side']}, {result['threads']} threads, "
             f"{result['repeats']} turns; {machine['cpu']}, {machine['processors']} processors, "
             f"{bound['matrix_product_gflops']:.0f} GFLOP/s",
             f"{'':<22} {'ours':>10}" + "".join(f" {name:>11} {'ratio':>7}" for name in others) + f" {'limit':>10}"]
    for kind, title in (("train", "training step"), ("infer", "inference")):
        floor, own, turns = bound[f"{kind}_seconds"], result["ours"], f"{kind}_seconds_of_each_turn"
        for label, name, unit in ((f"{title}, s", f"{kind}_seconds", 1), ("  processor s", f"{kind}_cpu_seconds", 1),
                                  ("  peak memory, MiB", TASKS[kind], 2 ** 20)):
            digits = 3 if unit == 1 else 0
            line = f"{label:<22} {own[name] / unit:>10.{digits}f}"
            for theirs in others.values():
                quotient = ratio(theirs[turns], own[turns]) if name == f"{kind}_seconds" else theirs[name] / own[name]
                line += f" {theirs[name] / unit:>11.{digits}f} {quotient:>7.2f}"
            if name == f"{kind}_seconds":
                line += f" {floor:>10.3f}  ours reaches {floor / own[name]:.0%}"
            lines.append(line)
    return "\n".join(lines)


def draw(path: Path, results: list[dict[str, Any]]) -> None:
    """A panel for each network: how many times as fast ours is as each peer, over batches and sides."""
    from matplotlib.figure import Figure

    networks = list(dict.fromkeys(result["network"] for result in results))
    figure = Figure(figsize=(1 + 5 * len(networks), 4.5), layout="constrained")
    first, *_ = panels = figure.subplots(1, len(networks), squeeze=False, sharey=True)[0]
    for axes, network in zip(panels, networks, strict=True):
        rows = [result for result in results if result["network"] == network]
        for _, (name, _, ending) in PEERS.items():
            for key, kind, line in (("speed_ratio", "training", "-"), ("inference_speed_ratio", "inference", "--")):
                points = [(place, row[key + ending]) for place, row in enumerate(rows) if row[key + ending]]
                if points:
                    axes.plot(*zip(*points, strict=True), line, color=COLOURS[name], label=f"{kind}, {name}",
                              **MARKS[name])
        axes.axhline(1, color=COLOURS["limit"], label="as fast")
        axes.set_xticks(range(len(rows)), [f"{row['batch']}\n{row['side']}x{row['side']}" for row in rows])
        axes.set_xlabel("images in a batch, pixels of an image")
        axes.set_title(f"{network}, {rows[0]['threads']} threads")
        axes.grid(axis="y", alpha=0.3)
    first.set_ylim(bottom=0)
    first.set_ylabel("their seconds / ours")
    first.legend()
    save(path, figure)
