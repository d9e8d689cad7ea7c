"""The flags of experiments/reproduce.py, and which of the commands that it calls gets which."""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.configuration.classifier import PRESETS
from experiments.configuration.detector import LOSSES
from experiments.configuration.training import flag
from experiments.datasets.mammogram import CLASSES_OF
from experiments.system.argument_types import ARGUMENT_TYPES, whole_number
from experiments.system.folders import folder_name

END2END, ROI_DETECTION, DECOMPOSITION, RETRAINING = "end2end", "roi_detection", "decomposition", "retraining"
CLASSIFIERS = (END2END, DECOMPOSITION)
ALL = (*CLASSIFIERS, ROI_DETECTION)  # a retraining has the decomposition's


@dataclass(frozen=True, slots=True)
class Flag:
    """commands that get it, by what name if it is another there, what --help says, all values if they are few."""
    name: str
    type: type
    commands: tuple[str, ...]
    help: str
    given_as: str | None = None
    choices: tuple[Any, ...] | None = None


DATA = tuple(Flag(name, str, ALL, text) for name, text in (
    ("preset", "quick: minutes on a CPU (the default); thesis: Tables 4.1, 4.4 and 4.5, days on a CPU"),
    ("data", "folder of a data set with masks of the lesions; synthetic images if none is given"),
    ("normals", "folder of another data set, of which the normal images are added to those of --data")))
HYPER_PARAMETERS = (
    Flag("seed", int, ALL, "of images, split and detectors, and the first training seed (default: 0)"),
    Flag("classes", int, ALL, "3: cancer, normal and benign (the default); 2: without normal images",
         choices=tuple(CLASSES_OF)),
    Flag("side", int, ALL, "height and width of the networks' input in pixels"),
    Flag("working_side", int, ALL, "pixels a side at which contrast is enhanced"),
    Flag("max_pixels", int, ALL, "refuse images of more pixels, for which the memory may not do"),
    Flag("batch", int, ALL, "images in a training step"),
    Flag("steps", int, CLASSIFIERS, "training steps of a classifier"),
    Flag("width", float, CLASSIFIERS, "multiplies the channels and features of every layer of the VGG"),
    Flag("loss", str, (DECOMPOSITION,), "that the detectors of the decomposition were trained by", choices=LOSSES),
    Flag("threshold", float, (DECOMPOSITION,), "on a detector's output, above which a pixel is marked"),
    Flag("detector_steps", int, (ROI_DETECTION,), "training steps of a detector", "steps"),
    Flag("channels", int, (ROI_DETECTION,), "of the U-net's first level"),
    Flag("depth", int, (ROI_DETECTION,), "levels below the U-net's first one"),
    Flag("retraining_steps", int, (RETRAINING,), "training steps of the retraining (default: a classifier's)", "steps"))
FLAGS = (*DATA, *HYPER_PARAMETERS)


def add_reproduction_flags(parser: argparse.ArgumentParser) -> None:
    """A flag for each, None if it is not given, and --seeds."""
    parser.add_argument("--seeds", type=whole_number, metavar="N",
                        help="trainings of each classifier, with the training seeds from --seed on (default: 1)")
    for each in DATA:
        if each.name == "preset":
            parser.add_argument(flag(each.name), choices=tuple(PRESETS), help=each.help)
        else:
            parser.add_argument(flag(each.name), metavar="DIR", type=folder_name, help=each.help)
    group = parser.add_argument_group("hyper-parameters (default: those of the single commands)")
    for each in HYPER_PARAMETERS:
        group.add_argument(flag(each.name), type=ARGUMENT_TYPES[each.type], choices=each.choices, help=each.help,
                           metavar=None if each.choices else each.type.__name__.upper())


def given_to(command: str, configuration: Mapping[str, Any]) -> list[str]:
    """Those of the flags in the configuration that the command gets, as it takes them."""
    return [text for each in FLAGS if command in each.commands and each.name in configuration
            for text in (flag(each.given_as or each.name), str(configuration[each.name]))]
