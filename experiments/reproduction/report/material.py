"""What the finished stages left in their folders, as the report needs it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from experiments.datasets import synthetic
from experiments.reporting.figures import placeholder_figure
from experiments.reporting.html import Picture
from experiments.runs.folder import RunFolder
from experiments.system.files import read_json, write_bytes

SAMPLES = 12  # drawn images in Figure A.1


@dataclass(frozen=True)
class FinishedRun:
    """A finished run in its folder."""

    path: Path

    @cached_property
    def record(self) -> dict[str, Any]:
        """Its config.json."""
        return RunFolder(self.path).record()

    @cached_property
    def results(self) -> dict[str, Any]:
        return read_json(self.path / "results.json")

    @property
    def configuration(self) -> dict[str, Any]:
        return self.record["configuration"]

    @cached_property
    def losses(self) -> list[dict[str, float]]:
        """{"step", "loss"} every ten steps."""
        return [{"step": entry["step"], "loss": entry["loss"]} for entry in RunFolder(self.path).history()
                if "loss" in entry]

    def picture(self, name: str, caption: str, alternative: str, wide: bool = False,
                photograph: bool = False) -> Picture:
        """The figure that the run drew."""
        data = (self.path / "figures" / f"{name}.png").read_bytes()
        return Picture("", data, caption, alternative, wide, photograph)


@dataclass(frozen=True)
class Material:
    """detectors                 the run of ROI detection
    end2end, decomposition    one run for each training seed; none where the data lack a class
    retraining                None where there is none
    comparison                what `seed_statistics` finds; None without classifiers
    audit                     `recovery.audit`'s findings
    missing                   classes without images
    placeholder               Figure A.1 as a PNG file
    """

    detectors: FinishedRun
    end2end: Sequence[FinishedRun]
    decomposition: Sequence[FinishedRun]
    retraining: FinishedRun | None
    comparison: Mapping[str, Any] | None
    audit: Mapping[str, Any]
    missing: Sequence[str]
    placeholder: bytes

    @property
    def data(self) -> dict[str, Any]:
        """What config.json says of the data: name, numbers of images and patients, fingerprint ..."""
        return self.detectors.record["data"]

    @property
    def drawn(self) -> bool:
        """Whether the images are the synthetic ones of this project."""
        return self.detectors.configuration["data"] is None

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.data["train"])


def gather(folder: Path, seeds: Sequence[int], missing: Sequence[str]) -> Material:
    """From the folders of the finished stages; Figure A.1 is drawn into figures/placeholder.png.

    missing: the classes without images; with any of them there are no classifiers. Raises Failure where a file is
    absent or damaged.
    """
    drawn = [synthetic.draw(seeds[0], index) for index in range(SAMPLES)]
    picture = placeholder_figure(
        [image / np.float32(255) for image, _ in drawn],
        [np.zeros(image.shape, bool) if mask is None else mask for image, mask in drawn],
        [each.label for each in synthetic.dataset(seeds[0], SAMPLES).mammograms])
    write_bytes(folder / "figures" / "placeholder.png", picture)
    end2end, decomposition = ([] if missing else [FinishedRun(folder / f"{name}-seed{seed}") for seed in seeds]
                              for name in ("end2end", "decomposition"))
    return Material(
        FinishedRun(folder / "roi_detection"), end2end, decomposition,
        None if missing else FinishedRun(folder / "retraining"),
        None if missing else read_json(folder / "statistics.json"),
        read_json(folder / "audit" / "audit.json"), missing, picture)
