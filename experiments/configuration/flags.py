"""The flags of a configuration, whichever kind it is: one for every setting that has a help text."""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

from experiments.configuration.training import PLACES, Kind, TrainingConfiguration, flag
from experiments.datasets.choices import BIRADS, LOW_ENERGY, VIEWS
from experiments.datasets.images.sizes import add_max_pixels
from experiments.system.argument_types import ARGUMENT_TYPES, whole_number
from experiments.system.errors import UsageError
from experiments.system.folders import folder_name

DRAWN_SIDE = 256  # the size of the synthetic images: enlarging them before CLAHE would cost time and show nothing


def add_flags(parser: argparse.ArgumentParser, presets: Mapping[str, TrainingConfiguration], table: str) -> None:
    """--preset, --data, --normals, --steps, --training-seed and a flag for every hyper-parameter, None if not given.

    table: of the thesis, which the preset "thesis" has.
    """
    add_data_flags(parser, f"quick: smaller images and network, minutes on a CPU (the default); thesis: {table}")
    parser.add_argument("--steps", type=whole_number, metavar="INT",
                        help="train for so many steps in all, whatever the number of epochs")
    parser.add_argument("--training-seed", type=whole_number, metavar="INT",
                        help="of initial weights, batches and dropout, for another training on the same images and "
                             "split (default: that of --seed)")
    group = parser.add_argument_group("hyper-parameters (default: the preset's)")
    for name, entry in hyper_parameters(type(presets["thesis"])).items():
        add_setting_flag(group, flag(name), entry, presets)


def add_data_flags(parser: argparse.ArgumentParser, preset: str) -> None:
    """--preset, --data, --normals, --views, --birads and --max-pixels. preset: what --help says of the first."""
    parser.add_argument("--preset", choices=("thesis", "quick"), help=preset)
    parser.add_argument("--data", metavar="DIR", type=folder_name,
                        help="folder of a data set: one that docs/data.md names, or a CSV file with the columns "
                             "image, mask, label, patient; synthetic images if none is given")
    parser.add_argument("--normals", metavar="DIR", type=folder_name,
                        help="folder of another data set, of which the normal images are added to those of --data")
    parser.add_argument("--views", choices=VIEWS,
                        help=f"which images of contrast-enhanced examinations, CDD-CESM's (default: {LOW_ENERGY})")
    parser.add_argument("--birads", metavar="MAP",
                        help="the classes that BI-RADS assessments stand for, where a set tells no pathology (default: "
                             f"'{BIRADS}'); images of other assessments are left out")
    add_max_pixels(parser, default=None)


def add_setting_flag(group: argparse._ArgumentGroup, name: str, entry: Field,
                     presets: Mapping[str, TrainingConfiguration]) -> None:
    """The flag of one hyper-parameter, by that name."""
    text = entry.metadata["help"]
    if isinstance(entry.default, bool):
        group.add_argument(name, action="store_true", default=None, help=text)
        return
    values = ", ".join(f"{preset} {getattr(values, entry.name)}" for preset, values in presets.items())
    choices = entry.metadata["choices"]
    group.add_argument(name, type=ARGUMENT_TYPES[type(entry.default)], choices=choices,
                       metavar=None if choices else type(entry.default).__name__.upper(), help=f"{text} ({values})")


def hyper_parameters(kind: type[TrainingConfiguration]) -> dict[str, Field]:
    return {entry.name: entry for entry in fields(kind) if "help" in entry.metadata}


def given_flags(arguments: argparse.Namespace, kind: type[TrainingConfiguration]) -> dict[str, Any]:
    """The settings that the flags name, with folders as absolute paths: a run may be resumed from another one."""
    names = ["preset", "data", "normals", "steps", "training_seed", "max_pixels", "views", "birads",
             *hyper_parameters(kind)]
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return given | {name: str(Path(given[name]).resolve()) for name in PLACES if name in given}


def configure(presets: Mapping[str, Kind], given: Mapping[str, Any]) -> Kind:
    """The preset with the given settings. Raises UsageError for a value that cannot be."""
    preset = presets[given.get("preset", "quick")]
    settings = dict(given)
    if preset.preset == "quick" and "data" not in given:
        settings.setdefault("working_side", DRAWN_SIDE)
    configuration = replace(preset, **settings)
    if configuration.decay != preset.decay and configuration.schedule == "cosine":
        raise UsageError(f"--decay {given['decay']}: the learning rate falls as a cosine, which has no such factor. "
                         "Add --schedule exponential, or leave --decay out")
    return configuration
