"""Folders that a user names by a flag."""
from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.system.errors import UsageError


def folder_name(text: str) -> str:
    """The type of a flag that names a folder: an empty one would be the folder that one stands in."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r}: expected the name of a folder")
    return text


def folder_path(text: str) -> Path:
    """`folder_name` as a path."""
    return Path(folder_name(text))


def require_apart(output: Path, configuration: Mapping[str, Any]) -> None:
    """Raises UsageError where the run's folder and that of its data are one, or one lies inside the other: the files of
    the run would be read as data, or written over them."""
    for name in ("data", "normals"):
        data = configuration.get(name)
        if data is None:
            continue
        run, images = output.resolve(), Path(data).resolve()
        if run == images or images in run.parents or run in images.parents:
            how = "is" if run == images else "lies inside" if images in run.parents else "contains"
            raise UsageError(f"--output {output}: {how} the folder of --{name}, {data}. The run's files would "
                             "stand among the images; choose a folder apart with --output")
