"""When something was made, and by which versions of everything that may change a result."""
from __future__ import annotations

import platform
from datetime import datetime
from importlib.metadata import version

from engine.version import PACKAGE, __version__

PACKAGES = ("numpy", "scipy", "scikit-image", "scikit-learn", "safetensors")


def now() -> str:
    """ISO 8601, local time."""
    return datetime.now().isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Of everything that may change a result."""
    return {PACKAGE: __version__, "python": platform.python_version(), "machine": platform.machine(),
            "system": platform.system(), **{package: version(package) for package in PACKAGES}}
