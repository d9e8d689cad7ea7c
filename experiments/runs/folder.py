"""The folder of a run: config.json, metrics.jsonl, histograms.jsonl and checkpoint.safetensors, consistent whenever the
run is killed.

The two logs are flushed before every checkpoint, and a resumed run first drops the lines that are later than its
checkpoint: so the files end as those of a run that was never interrupted.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TypeVar

from engine.files import PARTIAL
from experiments.runs.log import Entry, LayersEntry, entries, line_of, rewrite
from experiments.runs.record import RunRecord
from experiments.system import lock
from experiments.system.errors import Failure, UsageError
from experiments.system.records import read_record, write_record

Kind = TypeVar("Kind")


class RunFolder:
    """path: the folder; checkpoint, metrics, histograms, events: files in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.histograms = path / "histograms.jsonl"
        self.events = path / "events.out.tfevents.run"  # TensorBoard knows them by "tfevents"
        self.checkpoint = path / "checkpoint.safetensors"

    def exists(self) -> bool:
        """Whether a run has begun here."""
        return self.config.exists()

    def require_new(self) -> None:
        """Raises UsageError where there is a run already, so that nothing is overwritten."""
        self._require_config()
        if self.config.exists():
            raise UsageError(f"{self.path} holds a run already. Continue it with --resume --output {self.path}, or "
                             "choose another folder with --output")

    def require_begun(self) -> None:
        """Raises UsageError where no command has begun a run, so that a mistyped name does not begin one."""
        self._require_config()
        if not self.config.exists() and not (self.path / lock.NAME).exists():
            found = "there is no config.json in it" if self.path.is_dir() else "there is no such folder"
            raise UsageError(f"{self.path} holds no run to resume: {found}. Without --resume a new run begins there")

    def _require_config(self) -> None:
        if self.checkpoint.exists() and not self.config.exists():
            raise Failure(f"{self.path} holds the checkpoint of a run and no config.json, without which it can neither "
                          "go on nor begin anew. Restore config.json from a copy, or choose another folder with "
                          "--output; experiments/predict.py needs the checkpoint alone")

    def create(self, record: object) -> None:
        """Begin a new run: write config.json, a dataclass. Raises UsageError where there is a run already."""
        self.require_new()
        self.rewrite(record)

    def rewrite(self, record: object) -> None:
        """In the place of config.json, which is there."""
        write_record(self.config, record)

    def record(self) -> RunRecord:
        """What `create` wrote for a run of a command that trains."""
        return self.record_as(RunRecord)

    def record_as(self, kind: type[Kind]) -> Kind:
        """What `create` wrote. Raises UsageError where there is no run, Failure where its file is damaged or cannot be
        read."""
        if not self.exists():
            raise UsageError(f"{self.path} holds no run: there is no config.json in it")
        return read_record(kind, self.config)

    @property
    def experiment(self) -> str:
        """Which command's run it is. Raises as `record_as`."""
        return self.record_as(_Begun).experiment

    @property
    def kept(self) -> str:
        """In a message of what stopped the run: what is left of it."""
        return (f"The last good checkpoint is kept in {self.checkpoint}" if self.checkpoint.exists()
                else "There was no checkpoint yet")

    def log(self, entry: Entry) -> None:
        """Append one line to metrics.jsonl."""
        self._append(self.metrics, entry)

    def log_layers(self, entry: LayersEntry) -> None:
        """Append one line to histograms.jsonl."""
        self._append(self.histograms, entry)

    def _append(self, log: Path, entry: Entry | LayersEntry) -> None:
        with self.writing(log), open(log, "a", encoding="utf-8") as file:
            file.write(line_of(entry))

    @contextmanager
    def writing(self, log: Path) -> Iterator[None]:
        """While training goes on. Raises Failure where the system refuses it, with how to go on."""
        try:
            yield
        except OSError as error:
            raise Failure(f"{log} cannot be written: {error.strerror}. {self.kept}. When this is mended, continue with "
                          f"--resume --output {self.path}") from error

    def history(self) -> list[Entry]:
        """The entries of metrics.jsonl; lines that are none, cut off by a kill or damaged, are left out."""
        return entries(self.metrics, Entry)

    def layers(self) -> list[LayersEntry]:
        """The entries of histograms.jsonl, likewise; none of a run that was made before there was such a file."""
        return entries(self.histograms, LayersEntry)

    def rewind(self, step: int, keep: Callable[[Entry], bool] = lambda entry: True) -> None:
        """Drop what was logged after `step` or is not to be kept, and the unfinished files of a killed run."""
        for unfinished in self.path.glob(f".*{PARTIAL}"):
            unfinished.unlink()
        rewrite(self.metrics, Entry, lambda entry: entry.step <= step and keep(entry))
        if self.histograms.exists():
            rewrite(self.histograms, LayersEntry, lambda entry: entry.step <= step)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What every config.json says."""
    experiment: str


def choose_folder(output: str | None, resume: bool, kind: str, label: str) -> Path:
    """--output; without it a new folder runs/<kind>-<label>-<time>, or for --resume the newest run of that kind."""
    if output is not None:
        return Path(output)
    if not resume:
        return _new_folder(f"{kind}-{label[:40]}-{datetime.now():%Y%m%d-%H%M%S}")
    folders = sorted(Path("runs").glob(f"{kind}-*/config.json"), key=lambda path: path.stat().st_mtime)
    if not folders:
        raise UsageError("there is no run to resume under runs/; name its folder with --output")
    return folders[-1].parent


def _new_folder(name: str) -> Path:
    """runs/<name>, made here; runs that begin in the same second are numbered."""
    for number in count(1):
        path = Path("runs") / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            continue
        except OSError as error:
            raise Failure(f"{path} cannot be made: {error.strerror}. Choose a folder with --output") from error
    raise AssertionError  # there is always another number
