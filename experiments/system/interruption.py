"""Ctrl-C: it ends a command silently while that is being imported, with a message while it works, and is never lost."""
from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def end_by_interruption() -> None:
    """Ctrl-C ends the process from now on, by the signal itself: no line of Python answers, no traceback is shown.

    A process that was told to ignore it, such as one that a script started in the background, goes on ignoring it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def interruptions_held() -> Iterator[None]:
    """Ctrl-C, pressed in here, comes afterwards: for what must not be left half done. For the main thread, which it is
    that Python interrupts; in others nothing changes."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            before(*pressed[0])


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in here, and afterwards does what it did before."""
    from engine.interruption import interruptions_repeated  # here: a command looks first whether `engine` is its own

    before = signal.getsignal(signal.SIGINT)
    with interruptions_repeated():
        if before is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            if before is signal.SIG_DFL:
                signal.signal(signal.SIGINT, before)
