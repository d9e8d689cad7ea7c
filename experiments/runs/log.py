"""What a training logs, a line of JSON each: metrics.jsonl, a line for every tenth step with its loss, and for every
evaluation while training goes on; histograms.jsonl, a line for some steps with how each layer's numbers are spread."""
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from experiments.system.errors import Failure
from experiments.system.files import plain, write_text
from experiments.system.records import decoded

Measures = dict[str, float | None]  # by name; None where undefined
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # that a line of histograms.jsonl has


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


@dataclass(frozen=True, slots=True)
class Spread:
    """zeros: which share of the numbers is 0; quantiles: those of QUANTILES, the first and last their least and
    largest."""
    zeros: float
    quantiles: list[float]

    @property
    def all_zero(self) -> bool:
        return self.quantiles[0] == self.quantiles[-1] == 0


@dataclass(frozen=True, slots=True)
class LayersEntry:
    """How the numbers of every layer were spread in one step: all of one pass, before the step changed a parameter.

    step         counted from 1
    parameters   weights and biases by path, and their gradients
    activations  the outputs of the layers that have parameters, by the layer's path, in the order of the pass
    """
    step: int
    parameters: dict[str, Spread]
    gradients: dict[str, Spread]
    activations: dict[str, Spread]


Line = TypeVar("Line", Entry, LayersEntry)


def line_of(entry: Entry | LayersEntry) -> str:
    """The line for the file, with its end."""
    return json.dumps({name: value for name, value in plain(entry).items() if value is not None}) + "\n"


def entry_in(line: bytes, kind: type[Line]) -> Line | None:
    """What `line_of` wrote as this line, None if that is not to be seen any more."""
    try:
        return decoded(kind, line, "")
    except Failure:
        return None


def entries(log: Path, kind: type[Line]) -> list[Line]:
    """Those in the file, none where there is no file; lines that are none are left out. Raises Failure where it cannot
    be read."""
    return [entry for entry in (entry_in(line, kind) for line in _lines(log)) if entry is not None]


def rewrite(log: Path, kind: type[Line], keep: Callable[[Line], bool]) -> None:
    """Only with the entries that are to be kept; damaged lines, which are left out, are told of."""
    damaged = sum(entry_in(line, kind) is None for line in _lines(log)[:-1])  # a kill may have cut the last
    if damaged:
        print(f"{log}: {damaged} damaged lines are left out")
    write_text(log, "".join(line_of(entry) for entry in entries(log, kind) if keep(entry)))


def _lines(log: Path) -> list[bytes]:
    try:
        return log.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Failure(f"{log} cannot be read: {error.strerror}") from error
