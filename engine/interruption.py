"""A Ctrl-C that Python loses comes again. Nothing large is imported here: commands begin with it."""
from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

AGAIN = 0.05  # seconds after which an interruption that was lost is repeated


@contextmanager
def interruptions_repeated() -> Iterator[None]:
    """Inside, no KeyboardInterrupt is lost.

    Python raises it wherever the main thread happens to be. Where that is a finalizer or a weak reference's callback,
    as imports have many, the exception cannot go on: it would be printed and forgotten, and the command would run to
    its end. It is repeated.
    """
    hook = sys.unraisablehook

    def repeat(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)
            return
        timer = threading.Timer(AGAIN, _interrupt_main_thread)  # here it would be lost again
        timer.daemon = True
        timer.start()

    sys.unraisablehook = repeat
    try:
        yield
    finally:
        sys.unraisablehook = hook


def _interrupt_main_thread() -> None:
    """As Ctrl-C does: also where it waits or sleeps."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)
