"""Where a command prints to may be closed, full, or know only ASCII, and a user may press Ctrl-C: no traceback."""
from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from engine.interruption import interruptions_repeated


def run(command: Callable[[], int]) -> int:
    """The command's exit code; 1 where what it printed could not be written, 130 for Ctrl-C, 141 for a closed pipe."""
    _open_all()
    code: int | str | None
    try:
        with interruptions_repeated():
            try:
                code = command()
            except SystemExit as ended:
                code = ended.code
            sys.stdout.flush()
    except BrokenPipeError:
        code = 141  # as a shell reports a program that SIGPIPE ended, such as one before `| head`
    except OSError as error:
        code = say(f"error: what was to be printed could not be: {error.strerror or error}")
    except KeyboardInterrupt:
        say("stopped before the end: nothing was written")
        code = 130
    except MemoryError:
        code = say("error: out of memory; --only NAME checks less at a time")
    _abandon_unwritten()
    return code if isinstance(code, int) else int(code is not None)


def say(message: str) -> int:
    """Print a message to standard error, wherever that leads. 1, the exit code of a failure."""
    with suppress(OSError, ValueError):
        print(message, file=sys.stderr, flush=True)
    return 1


def _open_all() -> None:
    """Streams that were closed lead nowhere; characters that they do not know are written as \\u escapes."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the least free number, which a file to be written must not get
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, open as long as the process runs
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _abandon_unwritten() -> None:
    """What is still unwritten goes nowhere: at its exit Python would try again, and report that with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
