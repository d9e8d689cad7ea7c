"""Ctrl-C: it ends a command silently while that is being imported, with a message while it works, and is never lost."""
from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

AGAIN = 0.05  # seconds after which an interruption that was lost is repeated


def end_by_interruption() -> None:
    """Ctrl-C ends the process from now on, by the signal itself: no line of Python answers, no traceback is shown.

    A process that was told to ignore it, such as one that a script started in the background, goes on ignoring it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in here, and afterwards does what it did before.

    Python raises it wherever the main thread happens to be. Where that is a finalizer or a weak reference's callback,
    the exception cannot go on: it would be printed and forgotten, and the command would run to its end. It is repeated.
    """
    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook

    def repeat(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)
            return
        timer = threading.Timer(AGAIN, _interrupt_main_thread)  # here it would be lost again
        timer.daemon = True
        timer.start()

    sys.unraisablehook = repeat
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        if before is signal.SIG_DFL:
            signal.signal(signal.SIGINT, before)


def _interrupt_main_thread() -> None:
    """As Ctrl-C does: also where it waits or sleeps."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)
