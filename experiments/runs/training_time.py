"""How long the training of a run took, over all the times that it was interrupted and went on."""
from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.system.files import read_json, write_json

FILE = "training_time.json"


@contextmanager
def timing(folder: Path) -> Iterator[None]:
    """Adds what happens inside to the folder's training time.

    A part that is killed leaves no time behind, but the mark that there was one: from then on the sum is less than what
    the training took.
    """
    seconds, untimed = training_time(folder) or (0.0, False)
    write_json(folder / FILE, {"seconds": seconds, "untimed": True})
    started = time.monotonic()
    try:
        yield
    finally:
        write_json(folder / FILE, {"seconds": seconds + time.monotonic() - started, "untimed": untimed})


def training_time(folder: Path) -> tuple[float, bool] | None:
    """Seconds, and whether it took longer than that; None for a run that has no record of it."""
    if not (folder / FILE).exists():
        return None
    found = read_json(folder / FILE)
    return found["seconds"], found["untimed"]


def total_time(folders: list[Path]) -> tuple[float | None, bool]:
    """Of several trainings one after another, None where none has a record; and whether it took longer than that."""
    times = [training_time(folder) for folder in folders]
    known = [each for each in times if each is not None]
    return sum(seconds for seconds, _ in known) if known else None, len(known) < len(times) or any(
        untimed for _, untimed in known)
