"""What a step needs of memory: what backward keeps, counted as engine.memory does, and the peak, as Python counts."""
import tracemalloc
from collections.abc import Callable
from typing import Any

from engine.memory import arrays, kept_bytes

__all__ = ["arrays", "kept_bytes", "peak_bytes"]


def peak_bytes(function: Callable[[], Any]) -> int:
    """The most memory that was in use at one time while the function ran, beyond what was before, as Python counts."""
    function()  # once before: what is made at the first call and kept is no part of it
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
