"""The student's folder: the files that were started, and which of them passed as they are now."""
from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from engine.files import write_whole

DEFAULT = Path("my_exercises")
RECORDS = "passed.json"


class Misuse(Exception):
    """What the user can put right; the message says how. Exit code 2."""


def file_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.py"


def start(folder: Path, name: str, text: str) -> Path:
    """Write the file of an exercise. Raises Misuse where there is one, which is never overwritten."""
    path = file_of(folder, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            raise Misuse(f"{path} exists and stays as it is. To begin anew, move it away, or use another --folder")
        write_whole(path, text.encode())
    except OSError as error:
        raise Misuse(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remember(folder: Path, name: str, passed: str | None) -> None:
    """Keep the digest of a file that passed; None: forget it, as the file no longer passes."""
    known = passed_digests(folder)
    known.pop(name, None)
    if passed:
        known[name] = passed
    write_whole(folder / RECORDS, (json.dumps(known, indent=1, sort_keys=True) + "\n").encode())


def passed_digests(folder: Path) -> dict[str, str]:
    """Of the files that passed, by exercise; nothing where there is no record, or what stands there is none."""
    try:
        known = json.loads((folder / RECORDS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: text for name, text in known.items() if isinstance(text, str)} if isinstance(known, dict) else {}


def state(folder: Path, name: str, known: dict[str, str]) -> str:
    """"not started", "started", "passed", or "changed since it passed"."""
    path = file_of(folder, name)
    if not path.is_file():
        return "not started"
    if name not in known:
        return "started"
    try:
        return "passed" if digest(path) == known[name] else "changed since it passed"
    except OSError:
        return "started"
