"""metrics.jsonl: a line for every tenth step with its loss, and for every evaluation while training goes on."""
from __future__ import annotations

import json
from dataclasses import dataclass

from experiments.system.errors import Failure
from experiments.system.files import plain
from experiments.system.records import decoded

Measures = dict[str, float | None]  # by name; None where undefined


@dataclass(frozen=True, slots=True)
class Entry:
    """step                 counted from 1
    loss, learning_rate  of the step; None in the line of an evaluation
    evaluation           of "test", and for detectors of "train": measures by name; None in the line of a step
    """
    step: int
    loss: float | None = None
    learning_rate: float | None = None
    evaluation: dict[str, Measures] | None = None


def line_of(entry: Entry) -> str:
    """The line for the file, with its end."""
    return json.dumps({name: value for name, value in plain(entry).items() if value is not None}) + "\n"


def entry_in(line: bytes) -> Entry | None:
    """What `line_of` wrote as this line, None if that is not to be seen any more."""
    try:
        return decoded(Entry, line, "")
    except Failure:
        return None
