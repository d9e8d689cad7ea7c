"""The version of the project, as its commands state it."""
from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PACKAGE = "mammography-from-scratch"


def installed_version() -> str:
    """Name and version; a checkout that is used without being installed has no version."""
    try:
        return f"{PACKAGE} {version(PACKAGE)}"
    except PackageNotFoundError:
        return f"{PACKAGE} (not installed)"
