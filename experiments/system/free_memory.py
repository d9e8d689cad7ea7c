"""How much memory a process takes and could still take, and numbers of bytes in words."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MEMINFO, STATUS = Path("/proc/meminfo"), Path("/proc/self/status")
# limits of a container, and what is in use of them, of control groups of version 2 and of version 1
LIMITS = ((Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
          (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")))


def free_bytes() -> int | None:
    """What the machine can still give, or the container where that has a limit; None where the system does not say, as
    others than Linux."""
    available = _kilobytes(MEMINFO, "MemAvailable")
    return None if available is None else min([available, *_left_of_limits()])


def resident_bytes() -> int:
    """Of this process now; 0 where the system does not say."""
    return _kilobytes(STATUS, "VmRSS") or 0


def in_bytes(number: float) -> str:
    """In the unit that a person would use: 1.3 GB, of 1000 MB."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _left_of_limits() -> Iterator[int]:
    for limit, used in LIMITS:
        try:
            yield max(0, int(limit.read_text()) - int(used.read_text()))
        except (OSError, ValueError):  # no such limit: "max"
            continue


def _kilobytes(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith(f"{name}:")]
    return 1024 * int(found[0][1]) if found else None
