"""What a reproduction is: the settings of its classifiers and of its detectors, and the flags for them.

A flag stands for a setting of both where they must agree (SHARED) or where only one of them has it; of those that both
have for themselves, such as --steps, the detectors' has the prefix --detector-.
"""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar

from experiments.classifiers.retraining import usual_settings
from experiments.configuration import decomposition, detector
from experiments.configuration.classifier import ClassifierConfiguration, RetrainingConfiguration
from experiments.configuration.decomposition import DecompositionConfiguration
from experiments.configuration.detector import DetectorConfiguration
from experiments.configuration.flags import add_data_flags, add_setting_flag, configure, hyper_parameters
from experiments.configuration.recorded import recorded_configuration
from experiments.configuration.training import TrainingConfiguration, flag
from experiments.system.argument_types import whole_number
from experiments.system.errors import UsageError

DATA = ("preset", "data", "normals", "max_pixels", "views", "birads")
SHARED = ("classes", "seed", "validation", "side", "working_side", "clip_limit", "rotation", "statistics", "bias",
          "precision", "recompute")
OWN = "detector_"  # prefix of the detectors' own
CLASSIFIERS, DETECTORS = "classifiers", "detectors"


@dataclass(frozen=True, slots=True)
class ReproductionConfiguration:
    """classifiers       the decomposition's settings; the end-to-end classifier and the retraining have the same
    seeds             trainings of each classifier, with the training seeds from `seed` on
    retraining_steps  None for as many as a classifier's
    """
    kind: ClassVar[str] = "reproduction"

    classifiers: DecompositionConfiguration
    detectors: DetectorConfiguration
    seeds: int = 1
    retraining_steps: int | None = None

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UsageError(f"--seeds {self.seeds}: expected at least 1")
        if self.retraining_steps is not None and self.retraining_steps < 1:
            raise UsageError(f"--retraining-steps {self.retraining_steps}: expected at least 1")

    @property
    def training_seeds(self) -> list[int]:
        return [self.classifiers.seed + number for number in range(self.seeds)]

    def end2end(self, seed: int) -> ClassifierConfiguration:
        settings = asdict(self.decomposition(seed))
        return ClassifierConfiguration(**{each.name: settings[each.name] for each in fields(ClassifierConfiguration)})

    def decomposition(self, seed: int) -> DecompositionConfiguration:
        return replace(self.classifiers, training_seed=seed)

    @property
    def retraining(self) -> RetrainingConfiguration:
        """Of the first training seed."""
        before = self.decomposition(self.classifiers.seed)
        steps = self.retraining_steps or before.total_steps
        return RetrainingConfiguration(**usual_settings(before) | {"steps": steps})

    def setting(self, name: str) -> Any:
        """The value of the setting that the flag of that name stands for."""
        part, own = targets()[name][0]
        return getattr(getattr(self, part), own)

    def with_settings(self, given: Mapping[str, Any]) -> ReproductionConfiguration:
        """With the settings of those flags."""
        return replace(self, **{part: replace(getattr(self, part), **own) for part, own in _by_part(given).items()})

    def record(self) -> RecordedReproduction:
        return RecordedReproduction(self.kind, self.classifiers.record(), self.detectors.record(), self.seeds,
                                    self.retraining_steps)


@dataclass(frozen=True, slots=True)
class RecordedReproduction:
    """The configuration as config.json has it."""
    kind: str
    classifiers: dict[str, Any]
    detectors: dict[str, Any]
    seeds: int
    retraining_steps: int | None

    def configuration(self, place: object) -> ReproductionConfiguration:
        """Raises Failure, naming the place, where a setting is missing, unknown or cannot be."""
        return ReproductionConfiguration(
            recorded_configuration(DecompositionConfiguration, self.classifiers, place),
            recorded_configuration(DetectorConfiguration, self.detectors, place), self.seeds, self.retraining_steps)


def targets() -> dict[str, list[tuple[str, str]]]:
    """Flag, as a name -> the parts and their settings that it stands for."""
    found = {name: [(CLASSIFIERS, name), (DETECTORS, name)] for name in (*DATA, *SHARED)}
    both = {"steps", *hyper_parameters(TrainingConfiguration)}
    for part, kind in ((CLASSIFIERS, DecompositionConfiguration), (DETECTORS, DetectorConfiguration)):
        for name in ("steps", *hyper_parameters(kind)):
            if name not in SHARED:
                found[f"{OWN}{name}" if part == DETECTORS and name in both else name] = [(part, name)]
    return found


def add_reproduction_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for each of the `targets`, None if it is not given, --seeds and --retraining-steps."""
    add_data_flags(parser, "quick: minutes on a CPU (the default); thesis: Tables 4.1, 4.4 and 4.5, days on a CPU")
    parser.add_argument("--seeds", type=whole_number, metavar="N",
                        help="trainings of each classifier, with the training seeds from --seed on (default: 1)")
    parser.add_argument("--retraining-steps", type=whole_number, metavar="INT",
                        help="training steps of the retraining (default: a classifier's)")
    groups = {part: parser.add_argument_group(f"hyper-parameters of {of} (default: the preset's)")
              for part, of in ((CLASSIFIERS, "images and classifiers"), (DETECTORS, "the detectors alone"))}
    presets: dict[str, Mapping[str, TrainingConfiguration]] = {
        CLASSIFIERS: decomposition.PRESETS, DETECTORS: detector.PRESETS}
    for name, ((part, own), *_) in targets().items():
        entry = hyper_parameters(type(presets[part]["thesis"])).get(own)
        if entry is not None:
            add_setting_flag(groups[part], flag(name), entry, presets[part])
        elif own == "steps":
            groups[part].add_argument(flag(name), type=whole_number, metavar="INT",
                                      help=f"training steps of one of the {part}, whatever the number of epochs")


def chosen_configuration(given: Mapping[str, Any], seeds: int | None, retraining_steps: int | None
                         ) -> ReproductionConfiguration:
    """Of a new run: the presets, with what the flags say. Raises UsageError for a value that cannot be."""
    settings = _by_part(given)
    return ReproductionConfiguration(configure(decomposition.PRESETS, settings[CLASSIFIERS]),
                                     configure(detector.PRESETS, settings[DETECTORS]),
                                     1 if seeds is None else seeds, retraining_steps)


def _by_part(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {CLASSIFIERS: {}, DETECTORS: {}}
    for name, value in given.items():
        for part, own in targets()[name]:
            settings[part][own] = value
    return settings
