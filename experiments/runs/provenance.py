"""What a network was trained on, in its checkpoint: it is said wherever the network answers."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.checkpoint import Checkpoint
from experiments.datasets.mammogram import CLASSES
from experiments.datasets.synthetic import NAME as DRAWN
from experiments.inputs.selection import JOINED
from experiments.runs.folder import RunFolder
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure, UsageError
from experiments.system.records import converted

MAY_CHANGE = ("data", "normals", "steps", "epochs")  # of a configuration, while a run goes on
CAUTION = "A research and teaching tool, not for diagnosis."


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What the checkpoints of a run say of its data. None where it does not apply, or an old file does not say it.

    experiment       the command
    data             name of the set; fingerprint: of all that training sees; drawn: whether these are drawings
    images           that train, by class; patients: whose they are
    detector         P0-dice ... P4-ss, of a ROI detector
    detectors        digest of the detectors, of a decomposition
    decomposition    digest of the checkpoint that a retraining began with

    The same for every run on these data with this split, on whatever day: the same training gives the same bytes.
    """
    experiment: str | None = None
    data: str | None = None
    fingerprint: str | None = None
    drawn: bool | None = None
    images: dict[str, int] | None = None
    patients: int | None = None
    detector: str | None = None
    detectors: str | None = None
    decomposition: str | None = None

    def record(self) -> dict[str, Any]:
        """What applies, as a JSON object for the checkpoint."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def trained_on(record: RunRecord, detector: str | None = None) -> TrainedOn:
    """By the config.json of a run, for its checkpoints. detector: its name, if it is one of the ten."""
    data = record.data
    return TrainedOn(record.experiment, data.name, data.fingerprint, DRAWN in data.name.split(JOINED), data.train,
                     data.train_patients, detector, None if record.detectors is None else record.detectors.digest,
                     None if record.decomposition is None else record.decomposition.digest)


@dataclass(frozen=True)
class Provenance:
    """data      name of the data set; None where the checkpoint does not say it
    drawn     whether these are drawings and not mammograms, all of them or those of a class
    images    of the training set, by class; None as above. patients: whose they are
    detector  P0-dice ... P4-ss of a ROI detector: it saw those of the images whose annotations are of its group
    preset    and steps: of the training
    started   date of the run, from the config.json beside the checkpoint; None where that is not there
    svm       whether the run measured a support vector machine beside the network, which does not answer here
    """

    data: str | None
    drawn: bool
    images: dict[str, int] | None
    patients: int | None
    detector: str | None
    preset: str
    steps: int
    started: str | None
    svm: bool = False

    @property
    def sentences(self) -> list[str]:
        """What it was trained on, a warning where these are drawings, and the caution."""
        what = "data that the checkpoint does not name" if self.data is None else self.data
        if self.images is not None:
            counts = ", ".join(f"{count} {label}" for label, count in self.images.items())
            what += f", {sum(self.images.values())} images of {self.patients} patients ({counts})"
        when = "" if self.started is None else f", begun on {self.started}"
        said = [f"Trained on: {what}; {self.steps} steps, preset {self.preset}{when}."]
        if self.drawn:
            said.append("WARNING: it was trained on drawings, not on mammograms: what it answers for a mammogram means "
                        "nothing.")
        if self.detector is not None:
            said[0] += f" It is the detector {self.detector}, of the images with annotations of that size group."
        if self.svm:
            said.append("It answers by its own last layer; the support vector machine that its run measured beside it "
                        "is not kept.")
        return [*said, CAUTION]


def provenance(checkpoint: Checkpoint, path: Path) -> Provenance:
    """Of the checkpoint at `path`. One without a word on its data was written before they were recorded: then no
    folder of data in its configuration means drawings. Raises Failure where it says what it cannot mean."""
    known, configuration = converted(TrainedOn, checkpoint.trained_on, path), checkpoint.configuration
    drawn = configuration.get("data") is None if known.drawn is None else known.drawn
    images = known.images and {name: known.images[name] for name in CLASSES if name in known.images}
    return Provenance(known.data or (DRAWN if drawn else None), drawn, images, known.patients, known.detector,
                      str(configuration.get("preset")), checkpoint.step, _started(checkpoint, path.parent),
                      configuration.get("head") == "svm")


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Of any config.json."""
    configuration: dict[str, Any]
    started: str


def _started(checkpoint: Checkpoint, folder: Path) -> str | None:
    """The day in config.json, if that is of the run that wrote the checkpoint."""
    try:
        record = RunFolder(folder).record_as(_Beginning)
        recorded, own = record.configuration, checkpoint.configuration
        same = all(recorded[name] == own[name] for name in own if name not in MAY_CHANGE)
        return record.started[:10] if same else None
    except (Failure, UsageError, KeyError):
        return None
