"""What a network was trained on, in its checkpoint: it is said wherever the network answers."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.checkpoint import Checkpoint
from experiments.datasets.mammogram import CLASSES
from experiments.datasets.synthetic import NAME as DRAWN
from experiments.inputs.selection import JOINED
from experiments.runs.folder import RunFolder
from experiments.system.errors import Failure, UsageError

MAY_CHANGE = ("data", "normals", "steps", "epochs")  # of a configuration, while a run goes on
CAUTION = "A research and teaching tool, not for diagnosis."


def trained_on(record: Mapping[str, Any], detector: str | None = None) -> dict[str, Any]:
    """From the config.json of a run, for its checkpoints: the command, and of the data the name, the fingerprint of all
    that training sees, whether they are drawn, how many images train, by class, and of how many patients; of a
    decomposition the digest of its detectors, of a retraining that of its decomposition, of a detector its name.

    The same for every run on these data with this split, on whatever day: the same training gives the same bytes.
    """
    data = record["data"]
    said = {"experiment": record["experiment"], "data": data["name"], "fingerprint": data["fingerprint"],
            "drawn": DRAWN in data["name"].split(JOINED), "images": data["train"], "patients": data["train_patients"],
            "detector": detector, "detectors": record.get("detectors", {}).get("digest"),
            "decomposition": record.get("decomposition", {}).get("digest")}
    return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Provenance:
    """data      name of the data set; None where the checkpoint does not say it
    drawn     whether these are drawings and not mammograms, all of them or those of a class
    images    of the training set, by class; None as above. patients: whose they are
    detector  P0-dice ... P4-ss of a ROI detector: it saw those of the images whose annotations are of its group
    preset    and steps: of the training
    started   date of the run, from the config.json beside the checkpoint; None where that is not there
    """

    data: str | None
    drawn: bool
    images: dict[str, int] | None
    patients: int | None
    detector: str | None
    preset: str
    steps: int
    started: str | None

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
        return [*said, CAUTION]

    def record(self) -> dict[str, Any]:
        """The same for JSON."""
        return {"data": self.data, "drawn": self.drawn, "images": self.images, "patients": self.patients,
                "detector": self.detector, "preset": self.preset, "steps": self.steps, "started": self.started}


def provenance(checkpoint: Checkpoint, path: Path) -> Provenance:
    """Of the checkpoint at `path`. One without a word on its data was written before they were recorded: then no
    folder of data in its configuration means drawings. Raises TypeError or ValueError for counts that are none."""
    known, configuration = checkpoint.trained_on, checkpoint.configuration
    drawn = bool(known.get("drawn", configuration.get("data") is None))
    images = known.get("images")
    if images is not None:
        images = {name: int(images[name]) for name in CLASSES if name in images}
    return Provenance(known.get("data", DRAWN if drawn else None), drawn, images, known.get("patients"),
                      known.get("detector"), str(configuration.get("preset")), checkpoint.step,
                      _started(checkpoint, path.parent))


def _started(checkpoint: Checkpoint, folder: Path) -> str | None:
    """The day in config.json, if that is of the run that wrote the checkpoint."""
    try:
        record = RunFolder(folder).record()
        recorded, own = record["configuration"], checkpoint.configuration
        same = all(recorded[name] == own[name] for name in own if name not in MAY_CHANGE)
        return str(record["started"])[:10] if same else None
    except (Failure, UsageError, OSError, KeyError, TypeError):
        return None
