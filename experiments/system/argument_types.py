"""Numbers as the flags of a command take them: what cannot be meant is refused with a message."""
from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any

LARGEST = 2**63 - 1  # that NumPy counts with
SHOWN = 20  # digits


def whole_number(text: str) -> int:
    """Digits and perhaps a sign. Raises argparse.ArgumentTypeError for anything else and for more than 64 bits."""
    if re.fullmatch(r"[+-]?[0-9]{1,19}", text) is None or abs(int(text)) > LARGEST:
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected a whole number below 2^63, such as 100")
    return int(text)


def number(text: str) -> float:
    """A finite decimal number. Raises argparse.ArgumentTypeError for anything else."""
    try:
        value = float(text) if text.isascii() else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{_shown(text)}: expected a finite number, such as 0.5 or 2e-3")
    return value


ARGUMENT_TYPES: dict[type, Callable[[str], Any]] = {int: whole_number, float: number, str: str}


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
