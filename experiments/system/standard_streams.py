"""Standard output and standard error on which a command can rely: closed, full or ASCII ones do not end its work."""
from __future__ import annotations

import io
import os
import sys
from typing import Any


class LastingStream(io.TextIOWrapper):
    """lost: why something that was written did not arrive; None if everything did."""

    @property
    def lost(self) -> OSError | None:
        raw = getattr(self.buffer, "raw", self.buffer)
        return raw.lost if isinstance(raw, _LastingFile) else None


class _LastingFile(io.FileIO):
    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """What cannot be written is gone, and the reason kept. Only a reader who has gone ends the command, see
        `run_command`; not one of standard error alone, which shows nothing but progress and messages.
        """
        try:
            return super().write(data)
        except OSError as error:
            if isinstance(error, BrokenPipeError) and (self.fileno() == 1 or os.path.sameopenfile(1, 2)):
                raise
            self.lost = self.lost or error
            return len(data)


def make_streams_last() -> None:
    """Replace sys.stdout and sys.stderr of this process.

    Closed streams lead nowhere from now on: otherwise the next file that is opened would take the number of standard
    error, and messages would be written into a checkpoint. Characters that a stream cannot encode are written as
    escapes.
    """
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)
    sys.stdout = _lasting(sys.stdout, 1)
    sys.stderr = _lasting(sys.stderr, 2)


def _lasting(stream: Any, descriptor: int) -> Any:
    raw = _LastingFile(descriptor, "w", closefd=False)
    if stream is None:
        return LastingStream(io.BufferedWriter(raw), "utf-8", "backslashreplace")
    buffer = getattr(stream, "buffer", None)
    unbuffered = isinstance(buffer, io.FileIO)  # python -u
    if not isinstance(getattr(buffer, "raw", buffer), io.FileIO):  # no file: a console of Windows, a test's
        return stream
    stream.flush()
    return LastingStream(raw if unbuffered else io.BufferedWriter(raw), stream.encoding, "backslashreplace",
                         line_buffering=stream.line_buffering, write_through=unbuffered)
