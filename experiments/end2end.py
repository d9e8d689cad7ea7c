"""4.2: the end-to-end classifier. A VGG trained from scratch on whole mammograms: cancer, normal or benign.

    python experiments/end2end.py                                    synthetic images, a few minutes on a CPU
    python experiments/end2end.py --data DIR                         your mammograms
    python experiments/end2end.py --data DIR --preset thesis --device cuda
    python experiments/end2end.py --resume                           continue the newest run where it stopped
    python experiments/end2end.py --width 0.5 --steps 2000 --output runs/wider

A research and teaching tool, not for diagnosis.
"""
from __future__ import annotations

import argparse
import os
from pathlib import Path

from experiments.classification import announce, begin, load, open_run, progress_on_test, report
from experiments.classifier import build, fit, probabilities, seconds_per_step
from experiments.command import run_command
from experiments.configuration import add_flags
from experiments.device import array_module
from experiments.errors import UsageError
from experiments.sampling import Batches


def main(argv: list[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    if arguments.workers < 1:
        raise UsageError(f"--workers {arguments.workers}: expected at least 1")
    array_module(arguments.device)  # a missing GPU is known before the data are prepared
    folder, configuration = begin(arguments)
    data = load(configuration, Path(arguments.cache), arguments.workers)
    batches = Batches(data.prepared, data.train, configuration.batch, configuration.seed, configuration.rotation)
    record = open_run(folder, configuration, data, arguments)

    network = build(configuration)
    network.convert(array_module(arguments.device).asarray)
    announce(folder, configuration, seconds_per_step(network, configuration, arguments.device))
    fit(network, batches, configuration, folder, arguments.device,
        lambda: progress_on_test(probabilities(network, data.prepared, data.test, arguments.device),
                                 data.prepared.labels[data.test]))
    report(folder, record, data, {
        "train": probabilities(network, data.prepared, data.train, arguments.device, progress=True),
        "test": probabilities(network, data.prepared, data.test, arguments.device, progress=True)})


def parser() -> argparse.ArgumentParser:
    new = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_flags(new)
    new.add_argument("--output", metavar="DIR", help="folder of the run (default: a new one under runs/)")
    new.add_argument("--resume", action="store_true",
                     help="continue the run in --output, or the newest one under runs/, from its last checkpoint")
    new.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    new.add_argument("--cache", metavar="DIR", default="runs/cache",
                     help="where preprocessed images are kept for the next run (default: runs/cache)")
    new.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N",
                     help="processes that preprocess images (default: one for each processor)")
    return new


if __name__ == "__main__":
    run_command(main)
