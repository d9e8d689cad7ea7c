"""The flags of a configuration, whichever kind it is: one for every setting that has a help text."""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from experiments.configuration.classifier import PRESETS, ClassifierConfiguration
from experiments.configuration.training import Kind, TrainingConfiguration, flag
from experiments.datasets.images.sizes import add_max_pixels
from experiments.system.argument_types import ARGUMENT_TYPES, whole_number
from experiments.system.errors import UsageError
from experiments.system.folders import folder_name

DRAWN_SIDE = 256  # the size of the synthetic images: enlarging them before CLAHE would cost time and show nothing


def add_flags(parser: argparse.ArgumentParser, presets: Mapping[str, TrainingConfiguration] = PRESETS,
              table: str = "Table 4.1") -> None:
    """--preset, --data, --normals, --steps, --training-seed and a flag for every hyper-parameter, None if not given."""
    parser.add_argument("--preset", choices=tuple(presets),
                        help=f"quick: smaller images and network, minutes on a CPU (the default); thesis: {table}")
    parser.add_argument("--data", metavar="DIR", type=folder_name,
                        help="folder of a data set: mini-MIAS, DDSM, CBIS-DDSM, or a CSV with the columns image, "
                             "mask, label, patient; synthetic images if none is given")
    parser.add_argument("--normals", metavar="DIR", type=folder_name,
                        help="folder of another data set, of which the normal images are added to those of --data")
    parser.add_argument("--steps", type=whole_number, metavar="INT",
                        help="train for so many steps in all, whatever the number of epochs")
    parser.add_argument("--training-seed", type=whole_number, metavar="INT",
                        help="of initial weights, batches and dropout, for another training on the same images and "
                             "split (default: that of --seed)")
    add_max_pixels(parser, default=None)
    group = parser.add_argument_group("hyper-parameters (default: the preset's)")
    for name, entry in hyper_parameters(type(presets["thesis"])).items():
        values = ", ".join(f"{preset} {getattr(values, name)}" for preset, values in presets.items())
        choices = entry.metadata["choices"]
        group.add_argument(flag(name), type=ARGUMENT_TYPES[type(entry.default)], choices=choices,
                           metavar=None if choices else type(entry.default).__name__.upper(),
                           help=f"{entry.metadata['help']} ({values})")


def hyper_parameters(kind: type[TrainingConfiguration] = ClassifierConfiguration) -> dict[str, Any]:
    return {entry.name: entry for entry in fields(kind) if "help" in entry.metadata}


def configure(arguments: argparse.Namespace) -> ClassifierConfiguration:
    """`configure_from` the presets of a classification run."""
    return configure_from(PRESETS, arguments)


def configure_from(presets: Mapping[str, Kind], arguments: argparse.Namespace) -> Kind:
    """The preset with the flags that were given. Raises UsageError for a value that cannot be."""
    given = given_flags(arguments, type(presets["thesis"]))
    preset = presets[given.pop("preset", "quick")]
    if preset.preset == "quick" and "data" not in given:
        given.setdefault("working_side", DRAWN_SIDE)
    configuration = replace(preset, **given)
    if configuration.decay != preset.decay and configuration.schedule == "cosine":
        raise UsageError(f"--decay {given['decay']}: the learning rate falls as a cosine, which has no such factor. "
                         "Add --schedule exponential, or leave --decay out")
    return configuration


def given_flags(arguments: argparse.Namespace, kind: type[TrainingConfiguration] = ClassifierConfiguration
                ) -> dict[str, Any]:
    names = ["preset", "data", "normals", "steps", "training_seed", "max_pixels", *hyper_parameters(kind)]
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
