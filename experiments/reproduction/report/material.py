"""What the finished stages left in their folders, as the report needs it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from experiments.configuration.classifier import ClassifierConfiguration, RetrainingConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.recorded import recorded_configuration
from experiments.configuration.training import TrainingConfiguration
from experiments.datasets import synthetic
from experiments.evaluation.recovery import Audit
from experiments.evaluation.results import NAME, ClassifierResults, RoiResults
from experiments.inputs.loading import DataRecord
from experiments.reporting.figures import placeholder_figure
from experiments.reporting.html import Picture
from experiments.reproduction.statistics import SeedStatistics
from experiments.runs.folder import RunFolder
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure
from experiments.system.files import write_bytes
from experiments.system.records import read_record

SAMPLES = 12  # drawn images in Figure A.1
Settings = TypeVar("Settings", bound=TrainingConfiguration, covariant=True)
Results = TypeVar("Results", ClassifierResults, RoiResults)


@dataclass(frozen=True)
class FinishedRun(Generic[Settings, Results]):
    """A finished run in its folder; kinds: of its configuration and of what its results.json holds."""

    path: Path
    kinds: tuple[type[Settings], type[Results]]

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.path)

    @cached_property
    def record(self) -> RunRecord:
        return self.folder.record()

    @cached_property
    def configuration(self) -> Settings:
        return recorded_configuration(self.kinds[0], self.record.configuration, self.folder.config)

    @cached_property
    def results(self) -> Results:
        return read_record(self.kinds[1], self.path / NAME)

    @cached_property
    def losses(self) -> list[float]:
        """Of single batches, every ten steps. Raises Failure where none is recorded."""
        found = [entry.loss for entry in self.folder.history() if entry.loss is not None]
        if not found:
            raise Failure(f"{self.folder.metrics} holds no loss. Restore it from a copy, or start another run")
        return found

    def picture(self, name: str, caption: str, alternative: str, wide: bool = False,
                photograph: bool = False) -> Picture:
        """The figure that the run drew."""
        data = (self.path / "figures" / f"{name}.png").read_bytes()
        return Picture("", data, caption, alternative, wide, photograph)


FinishedClassifier = FinishedRun[ClassifierConfiguration, ClassifierResults]
FinishedDecomposition = FinishedRun[DecompositionConfiguration, ClassifierResults]
FinishedDetectors = FinishedRun[DetectorConfiguration, RoiResults]


@dataclass(frozen=True)
class Classifiers:
    """end2end, decomposition    one run for each training seed
    retraining                of the first
    statistics                over the seeds
    """

    end2end: Sequence[FinishedClassifier]
    decomposition: Sequence[FinishedDecomposition]
    retraining: FinishedClassifier
    statistics: SeedStatistics


@dataclass(frozen=True)
class Material:
    """detectors      the run of ROI detection
    classifiers    None where the data lack a class
    missing        classes without images
    placeholder    Figure A.1 as a PNG file
    """

    detectors: FinishedDetectors
    classifiers: Classifiers | None
    audit: Audit
    missing: Sequence[str]
    placeholder: bytes

    @property
    def data(self) -> DataRecord:
        """What config.json says of the data."""
        return self.detectors.record.data

    @property
    def drawn(self) -> bool:
        """Whether the images are the synthetic ones of this project."""
        return self.detectors.configuration.data is None

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.data.train)

    @property
    def trainings(self) -> list[Path]:
        """The folders of all runs, in the order of the thesis's chapters."""
        runs = self.classifiers
        return [self.detectors.path] if runs is None else [
            *(run.path for run in runs.end2end), self.detectors.path, *(run.path for run in runs.decomposition),
            runs.retraining.path]


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
    return Material(
        FinishedRun(folder / "roi_detection", (DetectorConfiguration, RoiResults)),
        None if missing else _classifiers(folder, seeds),
        read_record(Audit, folder / "audit" / "audit.json"), missing, picture)


def _classifiers(folder: Path, seeds: Sequence[int]) -> Classifiers:
    return Classifiers(
        [FinishedRun(folder / f"end2end-seed{seed}", (ClassifierConfiguration, ClassifierResults)) for seed in seeds],
        [FinishedRun(folder / f"decomposition-seed{seed}", (DecompositionConfiguration, ClassifierResults))
         for seed in seeds],
        FinishedRun(folder / "retraining", (RetrainingConfiguration, ClassifierResults)),
        read_record(SeedStatistics, folder / "statistics.json"))
