"""How long something takes: parts of a run in seconds by name, measured, added and put into words."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

Parts = Mapping[str, float]


def together(parts: Iterable[Parts]) -> dict[str, float]:
    """The sums by name, in the order in which the names come."""
    total: Counter[str] = Counter()
    for each in parts:
        total.update(each)
    return dict(total)


def sentence(parts: Parts) -> str:
    """For the terminal: the sum, what it is made of, and what it is worth."""
    shown = ", ".join(f"{name} {in_words(seconds)}" for name, seconds in parts.items() if seconds >= 0.5)
    return (f"expected {in_words(sum(parts.values()))} in all on this machine"
            f"{f' ({shown})' if shown else ''}, measured just now on small samples")


@contextmanager
def timed(took: dict[str, float], part: str) -> Iterator[None]:
    """Adds the seconds that the body takes to `part`."""
    started = perf_counter()
    try:
        yield
    finally:
        took[part] = took.get(part, 0.0) + perf_counter() - started


def seconds_of(function: Callable[[], object]) -> float:
    started = perf_counter()
    function()
    return perf_counter() - started


def in_words(seconds: float) -> str:
    """In the unit that a person would use."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"about {seconds / size:.1f} {unit}"
    return f"about {seconds:.0f} seconds"
