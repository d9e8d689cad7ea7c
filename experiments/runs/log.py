"""metrics.jsonl: a line for every tenth step with its loss, and for every evaluation while training goes on."""
from __future__ import annotations

from dataclasses import dataclass

Measures = dict[str, float | None]  # by name; None where undefined


@dataclass(frozen=True, slots=True)
class Entry:
    """step         counted from 1
    loss, learning_rate   of the step; None in the line of an evaluation
    evaluation      of "test", and for detectors of "train": measures by name; None in the line of a step
    """
    step: int
    loss: float | None = None
    learning_rate: float | None = None
    evaluation: dict[str, Measures] | None = None
