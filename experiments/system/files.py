"""A run's files: whole or not there, and a message where they cannot be written."""
import errno
import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.files import write_whole
from experiments.system.errors import Failure


def write_bytes(path: str | Path, data: bytes) -> None:
    """Replaces the file at `path` by `data` in one step; folders that are missing above it are made.

    A reader, or a run that is killed at any moment, sees the earlier file or the new one, never a part.
    Raises `Failure` where the disk is full, the folder may not be written to, or the path is otherwise unusable;
    the earlier file is then as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise Failure(_explain(error, path, len(data))) from error


def write_text(path: str | Path, text: str) -> None:
    """`write_bytes` of the text in UTF-8, line ends as they are."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> None:
    """`write_text` of `value` as strict JSON (RFC 8259), indented by two spaces; `plain` says what it may hold."""
    write_text(path, as_json(value, indent=2) + "\n")


def as_json(value: Any, indent: int | None = None) -> str:
    """Strict JSON in one line, or with an indent in many."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """`value` with dataclasses, NumPy's scalars and arrays, tuples and paths as JSON's own types.

    JSON has neither NaN nor infinities: numbers that are not finite become None, JSON's null.
    Raises TypeError for anything that has no such form.
    """
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    raise TypeError(f"{type(value).__name__} has no form in JSON: {value!r}")


def _explain(error: OSError, path: Path, size: int) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason, remedy = f"the disk is full ({size} bytes were to be written)", "Free some space and run again"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason, remedy = f"there is no permission to write to {path.parent}", "Choose another folder"
    else:
        reason, remedy = error.strerror or str(error), "Choose another folder"
    return f"Cannot write {path}: {reason}. {remedy}. An earlier file of that name is unchanged."
