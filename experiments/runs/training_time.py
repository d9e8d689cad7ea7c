"""How long the training of a run took, over all the times that it was interrupted and went on."""
from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.system.records import read_record, write_record

FILE = "training_time.json"


@dataclass(frozen=True, slots=True)
class TrainingTime:
    """seconds  that the training took, all its parts together; untimed: whether a part was cut off before its time
    was noted, so that it took longer"""
    seconds: float
    untimed: bool


@contextmanager
def timing(folder: Path) -> Iterator[None]:
    """Adds what happens inside to the folder's training time.

    A part that is killed leaves no time behind, but the mark that there was one: from then on the sum is less than what
    the training took.
    """
    before = training_time(folder) or TrainingTime(0.0, False)
    write_record(folder / FILE, replace(before, untimed=True))
    started = time.monotonic()
    try:
        yield
    finally:
        write_record(folder / FILE, replace(before, seconds=before.seconds + time.monotonic() - started))


def training_time(folder: Path) -> TrainingTime | None:
    """None for a run that has no record of it."""
    return read_record(TrainingTime, folder / FILE) if (folder / FILE).exists() else None


def total_time(folders: list[Path]) -> tuple[float | None, bool]:
    """Seconds of several trainings one after another, None where none has a record; and whether it took longer."""
    times = [training_time(folder) for folder in folders]
    known = [each for each in times if each is not None]
    return sum(each.seconds for each in known) if known else None, len(known) < len(times) or any(
        each.untimed for each in known)
