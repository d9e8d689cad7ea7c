"""config.json of a run, read without trust: people edit such files, and disks damage them."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from experiments.system.errors import Failure

# What readers of a record rely on, wherever in it the name stands; a configuration's entries are checked by
# `recorded_configuration`.
KINDS: dict[str, tuple[type, ...]] = {
    "experiment": (str,), "command": (str,), "device": (str,), "started": (str,), "versions": (dict,), "group": (str,),
    "loss": (str,), "end2end": (str, type(None)), "detectors": (dict,), "decomposition": (dict,), "run": (str,),
    "digest": (str,), "threshold": (float, int), "groups": (dict,), "bounds": (list,), "fingerprint": (str,),
    "name": (str,), "is_ddsm": (bool,), "excluded": (dict,), "dropped": (dict,), "notes": (list,), "train": (dict,),
    "test": (dict,), "changes": (list,)}


class Record(dict[str, Any]):
    """A JSON object of a record. A key that it lacks is a Failure which names the file and the key."""

    def __init__(self, path: Path, entries: dict[str, Any]) -> None:
        super().__init__(entries)
        self.path = path

    def __missing__(self, key: str) -> Any:
        raise Failure(f"{self.path} is damaged: it does not say '{key}'. Restore it from a copy, or start another run")


def read_record(path: Path) -> Record:
    """The record in the file. Raises FileNotFoundError, and Failure where it cannot be read or is none."""
    def checked(entries: dict[str, Any]) -> Record:
        for name, kinds in KINDS.items():
            if name in entries and not isinstance(entries[name], kinds):
                raise ValueError(f"'{name}' is {str(entries[name])[:80]!r}")
        return Record(path, entries)

    try:
        record = json.loads(path.read_bytes(), object_hook=checked)
        if not isinstance(record, Record):
            raise ValueError("it is no JSON object")
        for name in ("configuration", "data"):
            if not isinstance(record.get(name, {}), dict):
                raise ValueError(f"'{name}' is no JSON object")
        return record
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Failure(f"{path} is damaged: {error}. Restore it from a copy, or start another run") from error
