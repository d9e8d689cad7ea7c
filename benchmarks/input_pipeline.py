"""Does the input side keep ahead of the training step, and does its memory stay bounded?

    python benchmarks/input_pipeline.py                     batch 50, 128x128, beside a step of the VGG; minutes
    python benchmarks/input_pipeline.py --step-seconds 4.2  the step's time is known: seconds
    python benchmarks/input_pipeline.py --json input.json --plot input.png
    python benchmarks/input_pipeline.py --images 10000 --side 64 --working-side 128 --height 128 --plot scale.png

Without --images: how long a batch takes, stage by stage, from files that the operating system has in memory, beside a
training step of the VGG (forward, loss, backward, Adam; in a process of its own). The input side should take less than
a tenth of the step's processor time.

With --images N: N synthetic images are drawn and preprocessed into an empty cache, a tenth of them first, then three
tenths, then all, and each time one epoch passes over those there are, read and augmented in batches. The time per image
should stay the same, and the peak memory of the process (ru_maxrss) should grow by the names of the images only, about
1.5 KiB each, not by their pixels.
"""
from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import describe, positive, processors
from results import COLOURS, save, write_json

from experiments.datasets import synthetic
from experiments.inputs.augmentation import augment
from experiments.inputs.batches import Batches, one_hot
from experiments.inputs.image_set import prepare
from experiments.inputs.preprocessing import Preprocessing, preprocess

LIMIT = 0.1  # of the step's processor time
MEBIBYTE = 2 ** 20
READ, AUGMENT, LABELS, BATCH, ONCE = (
    "read from the cache", "augment", "one-hot labels", "a whole batch", "preprocess one image, once")


def seconds(call: Callable[[], object], repeats: int) -> dict[str, float]:
    """The medians of `repeats` calls after one that does not count."""
    call()
    turns = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        call()
        turns.append((time.perf_counter() - wall, time.process_time() - processor))
    return {"seconds": median(wall for wall, _ in turns), "cpu_seconds": median(processor for _, processor in turns)}


def measure_stages(arguments: argparse.Namespace) -> dict[str, Any]:
    """A batch's stages, the step beside them, the share of the processors, and whether the input side keeps ahead."""
    settings = Preprocessing(arguments.side, arguments.working_side)
    drawn = synthetic.dataset(0, arguments.batch, arguments.height).mammograms
    image, mask = drawn[0].load()
    with tempfile.TemporaryDirectory() as cache:
        prepared = prepare(drawn, settings, Path(cache), arguments.workers, sys.stderr.isatty())
        everything = np.arange(len(prepared))
        batches = Batches(prepared, everything, len(everything), seed=0)
        images = prepared.images(everything)
        calls: dict[str, Callable[[], object]] = {
            READ: lambda: prepared.images(everything), LABELS: lambda: one_hot(prepared.labels, 3),
            AUGMENT: lambda: augment(images, None, np.random.default_rng(0)),
            BATCH: lambda: batches(0), ONCE: lambda: preprocess(image, mask, settings, "drawn")}
        stages = {name: seconds(call, arguments.repeats) for name, call in calls.items()}
    step = {"seconds": arguments.step_seconds, "cpu_seconds": arguments.step_seconds * processors()} if (
        arguments.step_seconds) else training_step(arguments)
    share = stages[BATCH]["cpu_seconds"] / step["cpu_seconds"]
    return {"batch": len(everything), "stages": stages, "step": step, "share_of_step": share,
            "below_a_tenth": share < LIMIT, "keeps_ahead": stages[BATCH]["seconds"] < step["seconds"]}


def training_step(arguments: argparse.Namespace) -> dict[str, float]:
    """The medians of three training steps of the VGG on all processors."""
    from step_worker import Task
    from training_step import Worker

    worker = Worker(Task("ours", "train", "vgg", arguments.batch, arguments.side, processors()))
    worker.version()
    worker.steps(1)
    turns = [worker.steps(1) for _ in range(3)]
    worker.finish()
    return {"seconds": median(wall for wall, _ in turns), "cpu_seconds": median(processor for _, processor in turns)}


def measure_scale(arguments: argparse.Namespace) -> list[dict[str, float]]:
    """For a tenth, three tenths and all of the images: what preparing the new ones and an epoch over all took."""
    settings = Preprocessing(arguments.side, arguments.working_side)
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as cache:
        for tenths in (1, 3, 10):
            count = max(1, arguments.images * tenths // 10)
            drawn = synthetic.dataset(0, count, arguments.height).mammograms
            wall, processor = time.perf_counter(), _processor_seconds()
            prepared = prepare(drawn, settings, Path(cache), arguments.workers, sys.stderr.isatty())
            between, processor_between = time.perf_counter(), _processor_seconds()
            epoch(prepared, arguments.batch)
            new = max(1, count - (rows[-1]["images"] if rows else 0))
            rows.append({
                "images": count, "prepare_seconds_per_image": (between - wall) / new,
                "prepare_cpu_seconds_per_image": (processor_between - processor) / new,
                "epoch_seconds_per_image": (time.perf_counter() - between) / count,
                "epoch_cpu_seconds_per_image": (_processor_seconds() - processor_between) / count,
                "peak_bytes": _peak(),
                "cache_bytes": sum(file.stat().st_size for file in Path(cache).iterdir())})
            print(scale_line(rows[-1]), flush=True)
    return rows


def epoch(prepared: Any, batch: int) -> None:
    """Every image once, in random order, as training gets them."""
    generator = np.random.default_rng(0)
    order = generator.permutation(len(prepared))
    for start in range(0, len(order), batch):
        chosen = order[start:start + batch]
        augment(prepared.images(chosen), None, generator)
        one_hot(prepared.labels[chosen], 3)


def _processor_seconds() -> float:
    """Of this process and of those of its children that have ended."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def _peak() -> int:
    """Of this process; the processes that preprocess, where there are several, hold an image each."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _with_step(result: dict[str, Any]) -> dict[str, dict[str, float]]:
    return result["stages"] | {"a training step of the VGG": result["step"]}


def stage_table(result: dict[str, Any]) -> str:
    lines = [f"batch {result['batch']}, side {result['side']}", f"{'':<28} {'wall ms':>9} {'processor ms':>13}"]
    lines += [f"{name:<28} {1e3 * stage['seconds']:>9.2f} {1e3 * stage['cpu_seconds']:>13.2f}"
              for name, stage in _with_step(result).items()]
    return "\n".join(lines) + (
        f"\nThe input side takes {result['share_of_step']:.2%} of the step's processor time, "
        f"{'below' if result['below_a_tenth'] else 'NOT below'} a tenth; it "
        f"{'keeps' if result['keeps_ahead'] else 'does NOT keep'} ahead of the step.")


def scale_line(row: dict[str, float]) -> str:
    return (f"{row['images']:>7} images: {1 / row['prepare_seconds_per_image']:.1f} prepared a second "
            f"({1e3 * row['prepare_cpu_seconds_per_image']:.1f} processor ms each), epoch "
            f"{1e6 * row['epoch_seconds_per_image']:.0f} us an image ({1e6 * row['epoch_cpu_seconds_per_image']:.0f} "
            f"processor us), peak {row['peak_bytes'] / MEBIBYTE:.0f} MiB, "
            f"cache {row['cache_bytes'] / MEBIBYTE:.0f} MiB")


def draw_stages(path: Path, result: dict[str, Any]) -> None:
    from matplotlib.figure import Figure

    times = {name: stage["cpu_seconds"] for name, stage in _with_step(result).items()}
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(times), [1e3 * value for value in times.values()],
                     color=[COLOURS["ours"]] * (len(times) - 1) + [COLOURS["limit"]])
    axes.bar_label(bars, fmt="{:,.2f}", padding=3)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.2)
    axes.set_xlabel("processor time (ms)")
    axes.set_title(f"The input side: a batch of {result['batch']}, {result['side']}x{result['side']}")
    save(path, figure)


def draw_scale(path: Path, rows: list[dict[str, float]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    images = [row["images"] for row in rows]
    for key, label, colour in (("prepare", "draw and preprocess, once", "ours"), ("epoch", "an epoch", "PyTorch")):
        time_axes.plot(images, [1e3 * row[f"{key}_cpu_seconds_per_image"] for row in rows], "o-", label=label,
                       color=COLOURS[colour])
    for key, label, colour in (("peak_bytes", "peak memory", "ours"), ("cache_bytes", "cache on disk", "limit")):
        memory_axes.plot(images, [row[key] / MEBIBYTE for row in rows], "o-", label=label, color=COLOURS[colour])
    time_axes.set_yscale("log")
    time_axes.yaxis.set_major_formatter("{x:g}")
    time_axes.set_ylim(*(10.0 ** np.array([np.floor(np.log10(time_axes.get_ylim()[0])),
                                           np.ceil(np.log10(time_axes.get_ylim()[1]))])))
    for axes, unit in ((time_axes, "processor time per image (ms)"), (memory_axes, "MiB")):
        axes.set_xlabel("images")
        axes.set_ylabel(unit)
        axes.legend()
    memory_axes.set_ylim(bottom=0)
    save(path, figure)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=positive, default=50, metavar="N", help="images in a batch (50)")
    parser.add_argument("--side", type=positive, default=128, metavar="S", help="of the network's input (128)")
    parser.add_argument("--working-side", type=positive, default=1024, metavar="S",
                        help="at which contrast is enhanced (1024, the thesis's)")
    parser.add_argument("--height", type=positive, default=320, metavar="H", help="of the synthetic images (320)")
    parser.add_argument("--repeats", type=positive, default=9, metavar="R", help="measurements of each stage (9)")
    parser.add_argument("--workers", type=positive, default=processors(), metavar="N",
                        help="processes that preprocess (one for each processor)")
    parser.add_argument("--step-seconds", type=float, metavar="T", help="a training step's time, if it is known")
    parser.add_argument("--images", type=positive, metavar="N", help="measure how time and memory grow, up to N images")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it there (PNG, SVG, PDF)")
    arguments = parser.parse_args()
    if arguments.side > arguments.working_side or arguments.working_side % 8:
        parser.error(f"--side {arguments.side} --working-side {arguments.working_side}: the working side must be a "
                     "multiple of 8 and at least the side")
    if arguments.side % 32 and not (arguments.step_seconds or arguments.images):
        parser.error(f"--side {arguments.side}: the VGG beside it needs a multiple of 32; or give --step-seconds")
    if arguments.step_seconds is not None and arguments.step_seconds <= 0:
        parser.error(f"--step-seconds {arguments.step_seconds}: expected a time above 0")
    asked = ("side", "working_side", "height", "workers")
    result: dict[str, Any] = {name: getattr(arguments, name) for name in asked} | {"machine": describe()}
    if arguments.images:
        result |= {"batch": arguments.batch, "scale": measure_scale(arguments)}
    else:
        result |= measure_stages(arguments)
        print(stage_table(result))
    if arguments.json:
        write_json(arguments.json, result)
    if arguments.plot and arguments.images:
        draw_scale(arguments.plot, result["scale"])
    elif arguments.plot:
        draw_stages(arguments.plot, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
