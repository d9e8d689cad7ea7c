"""python -m exercises: see command.py. What is imported here is quick, so that Ctrl-C finds it ready."""
from __future__ import annotations

import sys

from engine.gradient_check.terminal import run


def command() -> int:
    from exercises.command import main  # imports NumPy and the engine
    return main()


if __name__ == "__main__":
    sys.exit(run(command))
