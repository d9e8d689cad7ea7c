"""Files that are there whole or not at all."""
from __future__ import annotations

import os
import threading
from pathlib import Path

PARTIAL = ".partial"  # how the names of unfinished files end: all that a killed run may leave behind


def write_whole(path: Path, data: bytes) -> None:
    """Replace the file at `path` in one step: written beside it under another name, flushed to the disk, renamed.

    A run that is killed at any moment leaves the old file or the new one. Raises OSError (disk full, no permission, no
    such folder) with the old file as it was and no other left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{PARTIAL}")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
