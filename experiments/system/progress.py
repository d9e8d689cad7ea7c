"""How far long work is, on standard error: a bar on a terminal, a line now and then in a log, nothing with --quiet.

    with bar(len(images), "Preparing", "image") as shown:
        shown.update()

What shows progress must never end the work: a standard error that is full, closed or absent is let be.
"""
from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, suppress
from time import monotonic
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from experiments.system.durations import in_words

EVERY = 30.0  # seconds between two lines in a log
UNUSABLE = (OSError, ValueError, AttributeError)  # of a stream that is full, closed, None
Item = TypeVar("Item")


class Bar(Protocol):
    n: int

    def update(self, n: int = 1) -> Any: ...
    def set_postfix_str(self, s: str = "", refresh: bool = True) -> Any: ...
    def write(self, s: str) -> Any:
        """A message to standard output, without the bar in it."""


class _Quiet:
    """Whether the process shows nothing: results do not depend on it, and workers have no bars."""

    quiet = False


def be_quiet() -> None:
    _Quiet.quiet = True


def announce(text: str) -> None:
    """To standard output, what a quiet command does not say: what is going to be done, not what came of it."""
    if not _Quiet.quiet:
        print(text, flush=True)


def bar(total: int, description: str, unit: str, initial: int = 0, leave: bool = True
        ) -> AbstractContextManager[Bar]:
    """Of work of `total` units, `initial` of them done earlier. leave: whether its end stays to be read."""
    stream = _Forgiving(sys.stderr)
    if stream.isatty() and not _Quiet.quiet and total:
        return tqdm(total=total, desc=description, unit=unit, initial=initial, leave=leave, mininterval=0.5,
                    file=stream)
    return _Lines(total, description, unit, initial, leave, None if _Quiet.quiet or not total else stream)


def over(items: Collection[Item], description: str, unit: str, leave: bool = True) -> Iterator[Item]:
    """The items, while it is shown how many were taken."""
    with bar(len(items), description, unit, leave=leave) as shown:
        for item in items:
            yield item
            shown.update()


class _Forgiving:
    """A text stream that is None, closed or full, and takes what is written to it all the same."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> None:
        with suppress(*UNUSABLE):
            self.stream.write(text)

    def flush(self) -> None:
        with suppress(*UNUSABLE):
            self.stream.flush()

    def isatty(self) -> bool:
        with suppress(*UNUSABLE):
            return bool(self.stream.isatty())
        return False

    def fileno(self) -> int:
        return self.stream.fileno()


class _Lines:
    """Progress for a log. stream: None for silence."""

    def __init__(self, total: int, description: str, unit: str, initial: int, leave: bool, stream: _Forgiving | None
                 ) -> None:
        self.total, self.description, self.unit, self.n, self.leave = total, description, unit, initial, leave
        self.stream, self.initial, self.postfix = stream, initial, ""
        self.began = self.said = monotonic()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        if self.leave:
            self._say(f"after {in_words(monotonic() - self.began)}")

    def update(self, n: int = 1) -> None:
        self.n += n
        now = monotonic()
        if now - self.said >= EVERY and self.n < self.total:
            self.said = now
            made = self.n - self.initial
            left = f"{in_words((now - self.began) / made * (self.total - self.n))} left" if made else "no estimate yet"
            self._say(left)

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        self.postfix = f", {s}" if s else ""

    def write(self, s: str) -> None:
        print(s, flush=True)

    def _say(self, when: str) -> None:
        if self.stream is not None:
            share = 100 * self.n // self.total
            self.stream.write(f"{self.description}: {self.n} of {self.total} {_plural(self.unit)} ({share} %), {when}"
                              f"{self.postfix}\n")
            self.stream.flush()


def _plural(unit: str) -> str:
    return unit + ("es" if unit.endswith("ch") else "s")
