"""With what a run is made, and whether TensorBoard can watch it. Its results do not depend on that."""
from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from experiments.system.argument_types import whole_number
from experiments.system.cards import take_cards
from experiments.system.device import array_module
from experiments.system.errors import UsageError
from experiments.system.folders import folder_name
from experiments.system.ranks import ProcessRanks, process_ranks


@dataclass(frozen=True, slots=True)
class Machine:
    """device       "cpu" or "cuda", where networks are placed
    cache        folder of preprocessed images, for this run and others
    workers      processes at a time
    tensorboard  whether trainings write a file of events for TensorBoard
    scheduler    address of a Dask cluster's, which prepares images and trains detectors; None to do that here
    ranks        the processes that train together; None for one alone
    """
    device: str = "cpu"
    cache: Path = Path("runs/cache")
    workers: int = 1
    tensorboard: bool = False
    scheduler: str | None = None
    ranks: ProcessRanks | None = None

    @property
    def size(self) -> int:
        """How many processes train together."""
        return 1 if self.ranks is None else self.ranks.size


def add_machine_flags(parser: argparse.ArgumentParser, workers: str) -> None:
    """--device, --cache, --workers, --tensorboard and --scheduler. workers: what the processes do."""
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (cuda needs CuPy)")
    parser.add_argument("--cache", metavar="DIR", type=folder_name, default="runs/cache",
                        help="where preprocessed images are kept for the next run (default: runs/cache)")
    parser.add_argument("--workers", type=whole_number, default=os.cpu_count() or 1, metavar="N",
                        help=f"{workers} (default: one for each processor)")
    parser.add_argument("--tensorboard", action="store_true",
                        help="write what TensorBoard shows into the run's folder, too: curves, the layers' histograms, "
                             "samples; then look at it with: tensorboard --logdir runs")
    parser.add_argument("--scheduler", metavar="ADDRESS",
                        help="prepare images, and train ROI detectors, on the cluster of this Dask scheduler, whose "
                             "workers have this project installed and see the data, the run's folder and --cache at "
                             "the same paths: the cache must be a folder that all of them share. The results are the "
                             "same")


def chosen_machine(arguments: argparse.Namespace) -> Machine:
    """By the flags. Raises UsageError for a number of workers that cannot be, and where there is no such device: that
    is known before the data are prepared."""
    if arguments.workers < 1:
        raise UsageError(f"--workers {arguments.workers}: expected at least 1")
    ranks = process_ranks()
    if ranks is not None and arguments.scheduler is not None:
        raise UsageError("--scheduler: several processes share every training, and a cluster takes whole ones. Start "
                         "it without mpiexec")
    array_module(arguments.device)
    if ranks is not None and arguments.device == "cuda":
        take_cards(ranks)
    return Machine(arguments.device, Path(arguments.cache).resolve(), arguments.workers, arguments.tensorboard,
                   arguments.scheduler, ranks)
