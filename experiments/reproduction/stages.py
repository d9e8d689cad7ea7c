"""The stages of experiments/reproduce.py: which command is called with which flags, in which folder."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments import audit, decomposition, end2end, retraining, roi_detection
from experiments.classifiers.expected import of_classifier
from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.detector import LOSSES, DetectorConfiguration
from experiments.configuration.detector import PRESETS as DETECTOR_PRESETS
from experiments.configuration.flags import configure_from
from experiments.configuration.training import flag
from experiments.datasets.mammogram import Mammogram
from experiments.detectors.expected import of_detecting, of_detectors
from experiments.inputs.cache import missing_entries, preparing
from experiments.inputs.preprocessing import Preprocessing
from experiments.inputs.selection import chosen_dataset
from experiments.inputs.size_groups import GROUPS
from experiments.reproduction.flags import DECOMPOSITION, END2END, RETRAINING, ROI_DETECTION, given_to
from experiments.reproduction.statistics import seed_statistics
from experiments.runs.folder import RunFolder
from experiments.runs.resuming import PLACES
from experiments.system.durations import Parts
from experiments.system.files import write_json
from experiments.system.stages import Stage

LAST = "report.html"  # the file that a run of a command writes last


@dataclass(frozen=True)
class Reproduction:
    """All stages, below `folder`.

    configuration  "seed", "seeds" and the flags that were given
    running        --cache, --workers and --device, as flags; results do not depend on them
    """

    folder: Path
    configuration: Mapping[str, Any]
    running: list[str]
    device: str

    def stages(self) -> list[Stage]:
        """In order. Raises UsageError for flags that do not fit, and what reading the data raises."""
        detectors, trainings = self.detectors, len(GROUPS) * len(LOSSES)
        audited = Stage("audit of the thesis's tables", lambda: audit.write(self.folder / "audit"),
                        self.folder / "audit" / LAST)
        roi = self._stage(ROI_DETECTION, f"ROI detection, {trainings} detectors", roi_detection.main,
                          given_to(ROI_DETECTION, self.configuration),
                          lambda: of_detectors(detectors, self.device, self.mammograms, trainings))
        if self.missing:
            return [roi, audited]
        return [*map(self._end2end, self.seeds), roi, *map(self._decomposition, self.seeds), self._retraining(),
                audited, Stage("statistics", self._statistics)]

    @property
    def seeds(self) -> list[int]:
        """The training seeds of both classifiers."""
        return [self.configuration["seed"] + number for number in range(self.configuration["seeds"])]

    def place(self, command: str, seed: int) -> Path:
        return self.folder / f"{command}-seed{seed}"

    @cached_property
    def mammograms(self) -> Sequence[Mammogram]:
        """Of all stages, before preparation leaves some out."""
        return chosen_dataset(self.classifiers).mammograms

    @cached_property
    def missing(self) -> list[str]:
        """The classes without images: with one of them there is nothing that a classifier could learn."""
        present = {each.label for each in self.mammograms}
        return [name for name in self.classifiers.class_names if name not in present]

    @cached_property
    def classifiers(self) -> ClassifierConfiguration:
        return configure_from(decomposition.PRESETS, decomposition.parser().parse_args(
            given_to(DECOMPOSITION, self.configuration)))

    @cached_property
    def detectors(self) -> DetectorConfiguration:
        return configure_from(DETECTOR_PRESETS, roi_detection.parser().parse_args(
            given_to(ROI_DETECTION, self.configuration)))

    def _end2end(self, seed: int) -> Stage:
        return self._stage(self.place(END2END, seed).name, f"end-to-end classifier, training seed {seed}", end2end.main,
                           [*given_to(END2END, self.configuration), "--training-seed", str(seed)],
                           lambda: self._with_one_channel)

    def _decomposition(self, seed: int) -> Stage:
        flags = [*given_to(DECOMPOSITION, self.configuration), "--training-seed", str(seed),
                 "--detectors", str(self.folder / ROI_DETECTION), "--end2end", str(self.place(END2END, seed))]
        return self._stage(self.place(DECOMPOSITION, seed).name, f"decomposition, training seed {seed}",
                           decomposition.main, flags, lambda: {
                               **of_detecting(self.detectors, self.device, len(self.mammograms)),
                               **self._with_two_channels} if seed == self.seeds[0] else self._with_two_channels)

    def _retraining(self) -> Stage:
        """With as many steps as the decomposition, unless told otherwise."""
        first = self.seeds[0]
        chosen = replace(self.classifiers, steps=self.configuration.get(
            "retraining_steps", self.classifiers.total_steps)).total_steps
        return self._stage(RETRAINING, "retraining without the detectors' masks", retraining.main,
                           [*self._places, "--decomposition", str(self.place(DECOMPOSITION, first)), "--end2end",
                            str(self.place(END2END, first)), "--steps", str(chosen)],
                           lambda: of_classifier(
                               replace(self.classifiers, steps=chosen), self.device, len(self.mammograms), 2))

    @property
    def _places(self) -> list[str]:
        """Where the data are now; a decomposition that was finished before they moved says where they were."""
        return [text for name in PLACES if name in self.configuration
                for text in (flag(name), self.configuration[name])]

    def _stage(self, name: str, title: str, main: Callable[[list[str]], None], flags: list[str],
               seconds: Callable[[], Parts]) -> Stage:
        folder = self.folder / name

        def make() -> None:
            resume = ["--resume"] if RunFolder(folder).exists() else []
            main([*flags, *self.running, *resume, "--output", str(folder)])

        return Stage(title, make, folder / LAST, seconds)

    def _statistics(self) -> None:
        first, second = ([self.place(command, seed) for seed in self.seeds] for command in (END2END, DECOMPOSITION))
        write_json(self.folder / "statistics.json",
                   seed_statistics(first, second, self.folder / RETRAINING))

    def preparing(self, cache: Path, workers: int) -> Parts:
        """What the cache lacks of the images that all stages share."""
        of = self.classifiers
        settings = Preprocessing(of.side, of.working_side, of.clip_limit)
        return {"preparing": preparing(missing_entries(self.mammograms, settings, cache), workers)}

    @cached_property
    def _with_one_channel(self) -> Parts:
        return of_classifier(self.classifiers, self.device, len(self.mammograms))

    @cached_property
    def _with_two_channels(self) -> Parts:
        return of_classifier(self.classifiers, self.device, len(self.mammograms), 2)
