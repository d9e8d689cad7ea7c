"""What the engine runs on: Python, NumPy and its BLAS, the libraries."""
from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from engine.doctor.finding import Broken
from engine.version import RELEASE

LIBRARIES = ("array-api-compat", "threadpoolctl", "safetensors", "tqdm", "matplotlib")  # what engine/ imports
OLDEST_PYTHON = (3, 11)


def project() -> tuple[str, dict[str, Any]]:
    """Name and version of this project."""
    return RELEASE, {"release": RELEASE}


def python() -> tuple[str, dict[str, Any]]:
    """Its version and the system below it. Raises Broken for one that is too old."""
    system = platform.platform(terse=True)
    if tuple(map(int, platform.python_version_tuple()[:2])) < OLDEST_PYTHON:
        raise Broken(f"{platform.python_version()} is too old", "install Python 3.11 or later")
    return f"{platform.python_version()} on {system}", {"version": platform.python_version(), "system": system,
                                                        "implementation": platform.python_implementation()}


def libraries() -> tuple[str, dict[str, Any]]:
    """Raises Broken for one that is not installed: engine/ imports all of them."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            raise Broken(f"{name} is not installed", "pip install -e .") from None
    return ", ".join(f"{name} {number}" for name, number in found.items()), found


def numpy() -> tuple[str, dict[str, Any]]:
    """Its version."""
    return np.__version__, {"version": np.__version__}


def blas() -> tuple[str, dict[str, Any]]:
    """The library that NumPy multiplies matrices with, as loaded: before a kernel of the engine sets its threads."""
    loaded = [{key: each.get(key) for key in ("internal_api", "version", "architecture", "num_threads",
                                              "threading_layer")}
              for each in threadpool_info() if each["user_api"] == "blas"]
    if not loaded:
        return "not one that threadpoolctl knows, so that its threads cannot be set", {"loaded": []}
    text = "; ".join(f"{each['internal_api']} {each['version'] or ''}".strip()
                     + (f", kernel {each['architecture']}" if each["architecture"] else "")
                     + f", {each['num_threads']} threads" for each in loaded)
    return text, {"loaded": loaded}
