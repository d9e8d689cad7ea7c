"""The version of the project, in this one place.

setup.py reads the line below without importing anything; so a checkout knows its version without being installed.
"""
from __future__ import annotations

__version__ = "0.2.0.dev0"

PACKAGE = "mammography-from-scratch"
RELEASE = f"{PACKAGE} {__version__}"
