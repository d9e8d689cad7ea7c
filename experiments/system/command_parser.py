"""What every command's --help, --version and --quiet have in common."""
from __future__ import annotations

import argparse
from typing import Any

from engine.version import RELEASE
from experiments.system.progress import be_quiet


class CommandParser(argparse.ArgumentParser):
    """--quiet holds for the process: also for the commands that a command calls."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.add_argument("--version", action="version", version=f"%(prog)s of {RELEASE}",
                          help="print the version and end")
        self.add_argument("--quiet", action=_Quiet, nargs=0, default=argparse.SUPPRESS,
                          help="no progress and no announcements: results, warnings and errors alone")


class _Quiet(argparse.Action):
    def __call__(self, *_: Any) -> None:
        be_quiet()
