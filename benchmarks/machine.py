"""What the figures were measured on, and the numbers that flags may have."""
from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """CPU model, processors, memory in bytes, operating system, Python."""
    return {"cpu": _cpu(), "processors": processors(), "memory_bytes": _memory(),
            "system": platform.platform(terse=True), "python": platform.python_version()}


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                flags = information.read_text()
                widest = next((name for name in ("avx512f", "avx2") if name in flags), "")
                return f"{line.partition(':')[2].strip()} {widest}".strip()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def width(text: str) -> float:
    """A factor on the channels of a network, above 0 and at most 4."""
    value = float(text)
    if not 0 < value <= 4:
        raise ValueError
    return value


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value
