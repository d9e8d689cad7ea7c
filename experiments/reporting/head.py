"""What every page says of the run besides its results."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from experiments.inputs.loading import DataRecord
from experiments.runs.training_time import total_time

FIRST, UNSAID = "seed", "kind"  # of the settings: the one that stands first, and one that no flag has


class Begun(Protocol):
    """What config.json says of any command: its command line, when it began and on which versions."""
    @property
    def command(self) -> str: ...
    @property
    def started(self) -> str: ...
    @property
    def versions(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class ReportHead:
    """title     heading of the page
    about     what stands below it, in pieces
    command   the command line that repeats the run
    settings  name -> value, whatever the command has
    versions  of the program and the libraries, name -> version
    """
    title: str
    about: tuple[str, ...]
    command: str
    settings: Mapping[str, Any]
    versions: Mapping[str, str]


def report_head(title: str, record: Begun, settings: Mapping[str, Any], data: DataRecord, trained: Sequence[Path]
                ) -> ReportHead:
    """Of a run with these settings on these data, whose trainings, one after the other, were in these folders."""
    seed, others = settings[FIRST], {name: value for name, value in settings.items() if name not in (FIRST, UNSAID)}
    about = [data.name, f"seed {seed}", f"begun {record.started.replace('T', ' ')[:16]}"]
    seconds, untimed = total_time(list(trained))
    if seconds is not None:
        about.append(f"trained in {'more than ' * untimed}{duration(seconds)}")
    return ReportHead(title, tuple(about), record.command, {FIRST: seed, **others}, record.versions)


def duration(seconds: float) -> str:
    """As one says it: 42 s, 4 min 05 s, 3 h 20 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
