"""One command at a time in a run's folder: a lock that ends with the process that holds it, however that ends.

It is a flock on the file "run.lock" in the folder. The system gives it up when the process is killed; on NFS (version
4, or 3 with its lock service) it holds between machines, too. The file says who holds it; at the end it is removed.
"""
from __future__ import annotations

import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from experiments.system.errors import Failure

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = "run.lock"
POLL = 0.05  # seconds between two tries


@contextmanager
def locked(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """The folder, which is made where it is absent, belongs to the caller until the context ends; then it is removed if
    it is empty.

    wait: seconds to wait for another holder. Raises Failure that names the holder, and where the folder cannot be
    written to. Where the system or the file system has no such lock, this is said and the caller goes on without.
    """
    descriptor = _acquire(folder, wait)
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(folder / NAME)  # while it is still held: who opened it meanwhile sees that it is gone
        if descriptor is not None:
            os.close(descriptor)
        with suppress(OSError):
            folder.rmdir()


def _acquire(folder: Path, wait: float) -> int | None:
    path, deadline, vanished = folder / NAME, time.monotonic() + wait, 0
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            vanished += 1
            if isinstance(error, FileNotFoundError | FileExistsError) and vanished < 100:
                continue  # the folder was empty, and its last holder has just removed it
            raise Failure(f"{folder} cannot be used as the folder of a run: {error.strerror} ({error.filename}). "
                          "Choose another folder with --output") from error
        vanished = 0
        try:
            if fcntl is None:
                raise OSError("this system has none")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, descriptor):
                _sign(descriptor)
                return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise Failure(f"the run in {folder} belongs to another command: {_holder(path)}. Wait until it "
                              "ends, or choose another folder with --output. (If its machine was switched off, remove "
                              f"{path})") from None
            time.sleep(POLL)
        except OSError as error:
            print(f"The folder {folder} cannot be locked ({error.strerror or error}): see to it that no other command "
                  "writes into it")
            os.close(descriptor)
            return None
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one in the folder, and not one that its holder has removed since."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    text = (f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%Y-%m-%d %H:%M:%S}: "
            f"{shlex.join(['python', *sys.argv])}\n")
    with suppress(OSError):  # a full disk: then the holder has no name
        os.ftruncate(descriptor, 0)
        os.write(descriptor, text.encode(errors="replace"))


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:500].strip() or "one that has just begun"
    except OSError:
        return "one that has just ended"
