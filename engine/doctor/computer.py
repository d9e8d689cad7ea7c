"""The processors, what they can do, and the memory."""
from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

GIBIBYTE = 2**30


def processors() -> tuple[str, dict[str, Any]]:
    """The model, and how many of them this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    model = _line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()
    return f"{model}: {usable} of {os.cpu_count()} usable", {"model": model, "usable": usable, "all": os.cpu_count()}


def simd() -> tuple[str, dict[str, Any]]:
    """What NumPy was built to need, what it uses beyond that, and what it could use but does not find here."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    found, missing = extensions.get("found", []), extensions.get("not found", [])
    return " ".join([*extensions["baseline"], *found]) or "none", {**extensions, "found": found, "not found": missing}


def memory() -> tuple[str, dict[str, Any]]:
    """Of the machine, what of it is free now, and what a container allows where that is less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = _line("/proc/meminfo", "MemAvailable")
    details: dict[str, Any] = {"bytes": whole, "free_bytes": int(free.split()[0]) * 1024 if free else None}
    text = f"{whole / GIBIBYTE:.1f} GiB"
    if free:
        text += f", {details['free_bytes'] / GIBIBYTE:.1f} GiB of it free"
    limit = Path("/sys/fs/cgroup/memory.max")
    allowed = limit.read_text().strip() if limit.exists() else "max"
    if allowed.isdigit() and int(allowed) < whole:
        details["allowed_bytes"] = int(allowed)
        text += f"; this container may use {int(allowed) / GIBIBYTE:.1f} GiB"
    return text, details


def _line(file: str, name: str) -> str:
    """What stands behind a name in a file of lines "name : value"; "" where there is none."""
    path = Path(file)
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
