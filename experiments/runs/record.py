"""config.json of a run: what it is, on what it was made, where it began and how it went on."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GroupsRecord


@dataclass(frozen=True, slots=True)
class DetectorsOrigin:
    """The five detectors of a decomposition: the folder of their run, the loss they were trained by, the threshold on
    their outputs, and the digest of their parameters and moving averages."""
    run: str
    loss: str
    threshold: float
    digest: str


@dataclass(frozen=True, slots=True)
class DecompositionOrigin:
    """What a retraining went on from: the folder of that run, the steps it had, the digest of its checkpoint."""
    run: str
    steps: int
    digest: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting that is another than when the run began."""
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """The run went on with other settings, by name: at (ISO 8601, local time), by which command."""
    at: str
    command: str
    configuration: dict[str, Changed]


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds by part: expected beforehand, and taken from step `from_step` on."""
    from_step: int
    expected: dict[str, float]
    took: dict[str, float]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """experiment     the command
    configuration  its settings with their kind; `configuration.recorded` reads them
    data           and their split
    command        the command line that began the run; device: cpu or cuda
    started        ISO 8601, local time; versions: of Python, the machine and the libraries
    detectors      of a decomposition; decomposition: of a retraining; groups: of ROI detection
    end2end        the folder of the end-to-end run whose loss is drawn beside this one's
    changes        since the run began; times: of a finished run
    """
    experiment: str
    configuration: dict[str, Any]
    data: DataRecord
    command: str
    device: str
    started: str
    versions: dict[str, str]
    detectors: DetectorsOrigin | None = None
    decomposition: DecompositionOrigin | None = None
    groups: GroupsRecord | None = None
    end2end: str | None = None
    changes: list[Change] = field(default_factory=list)
    times: Times | None = None


@dataclass(frozen=True, slots=True)
class PartRecord:
    """config.json of one of the ten trainings of 4.3, in a folder of its own inside the run's."""
    experiment: str
    group: str
    loss: str
    configuration: dict[str, Any]
    started: str
    versions: dict[str, str]
    changes: list[Change] = field(default_factory=list)
