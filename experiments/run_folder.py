"""The folder of a run: config.json, metrics.jsonl and checkpoint.safetensors, consistent whenever the run is killed.

metrics.jsonl is flushed before every checkpoint, and a resumed run first drops the lines that are later than its
checkpoint: so the file ends as that of a run that was never interrupted.
"""
from __future__ import annotations

import json
import platform
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.files import PARTIAL
from experiments.errors import Failure, UsageError
from experiments.reporting.files import write_json, write_text

PACKAGES = ("numpy", "scipy", "scikit-image", "scikit-learn", "safetensors")


class RunFolder:
    """path: the folder; checkpoint, metrics: files in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.checkpoint = path / "checkpoint.safetensors"

    def exists(self) -> bool:
        """Whether a run has begun here."""
        return self.config.exists()

    def require_new(self) -> None:
        """Raises UsageError where there is a run already, so that nothing is overwritten."""
        if self.config.exists() or self.checkpoint.exists():
            raise UsageError(f"{self.path} holds a run already. Continue it with --resume --output {self.path}, or "
                             "choose another folder with --output")

    def create(self, record: dict[str, Any]) -> None:
        """Begin a new run: write config.json. Raises UsageError where there is a run already."""
        self.require_new()
        started = datetime.now().isoformat(timespec="seconds")
        write_json(self.config, record | {"started": started, "versions": versions()})

    def record(self) -> dict[str, Any]:
        """What `create` wrote. Raises UsageError where there is no run, Failure where its file is damaged."""
        try:
            return json.loads(self.config.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(f"{self.path} holds no run to resume: there is no config.json in it") from None
        except ValueError as error:
            raise Failure(f"{self.config} is damaged: {error}") from error

    def log(self, entry: dict[str, Any]) -> None:
        """Append one line to metrics.jsonl; entry["step"] says when."""
        try:
            with open(self.metrics, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise Failure(f"{self.metrics} cannot be written: {error.strerror}. The last checkpoint is kept; make room "
                          f"and continue with --resume --output {self.path}") from error

    def history(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl; one that a kill cut off is left out."""
        if not self.metrics.exists():
            return []
        entries = []
        for line in self.metrics.read_text(encoding="utf-8").splitlines():
            try:
                entries.append(json.loads(line))
            except ValueError:
                break
        return entries

    def rewind(self, step: int) -> None:
        """Drop what was logged after `step`, and the unfinished files of a killed run."""
        for unfinished in self.path.glob(f".*{PARTIAL}"):
            unfinished.unlink()
        kept = [json.dumps(entry) + "\n" for entry in self.history() if entry["step"] <= step]
        write_text(self.metrics, "".join(kept))


def versions() -> dict[str, str]:
    """Of everything that may change a result."""
    return {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()} | {
        package: version(package) for package in PACKAGES}


def choose_folder(output: str | None, resume: bool, kind: str, label: str) -> Path:
    """--output; without it a new folder runs/<kind>-<label>-<time>, or for --resume the newest run of that kind."""
    if output is not None:
        return Path(output)
    if not resume:
        return Path("runs") / f"{kind}-{label}-{datetime.now():%Y%m%d-%H%M%S}"
    folders = sorted(Path("runs").glob(f"{kind}-*/config.json"), key=lambda path: path.stat().st_mtime)
    if not folders:
        raise UsageError("there is no run to resume under runs/; name its folder with --output")
    return folders[-1].parent
