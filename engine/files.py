"""Files that are there whole or not at all."""
from __future__ import annotations

import os
import secrets
import stat
import sys
from pathlib import Path

PARTIAL = ".partial"  # how the names of unfinished files end: all that a killed run may leave behind


def write_whole(path: Path, data: bytes) -> None:
    """Replace the file at `path` in one step: written beside it under another name, flushed to the disk, renamed.

    A run that is killed at any moment leaves the old file or the new one. The new file has the old one's permissions.
    A link stays: what it leads to is replaced, in its own folder, or made there. A device, a pipe, and a file that this
    process has open (/dev/stdout, /dev/fd/N), are written into: replaced, they would be lost to all who use them.
    Raises OSError (disk full, no permission, no such folder) with the old file as it was and no other left behind.
    """
    opened = _open_descriptor(path)
    if opened is not None:
        sys.stdout.flush()  # what was printed before stands before
        with open(opened, "wb", closefd=False) as file:
            file.write(data)
        return
    target = Path(os.path.realpath(path))
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:
            file.write(data)
        return
    temporary = target.with_name(f".{secrets.token_hex(8)}{PARTIAL}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _open_descriptor(path: Path) -> int | None:
    """Of a path such as /dev/stdout, and of a link to one: the number of the open file that it stands for."""
    own = f"/proc/{os.getpid()}/fd"
    for _ in range(40):  # as many links as Linux follows
        if os.path.realpath(path.parent) == own:
            return int(path.name) if path.name.isdecimal() else None
        if not path.is_symlink():
            return None
        path = path.parent / os.readlink(path)
    return None
