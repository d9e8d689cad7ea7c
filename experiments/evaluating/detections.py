"""predictions.csv of detectors: which of them found which image's annotation."""
from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.evaluating.detectors import SortedImages
from experiments.inputs.image_set import PreparedSet
from experiments.system.files import write_text
from experiments.system.text import inert, printable

COLUMNS = ("name", "patient", "label", "pixels", "group")


def write_detections(path: Path, prepared: PreparedSet, images: SortedImages, overlapping: Mapping[str, np.ndarray]
                     ) -> None:
    """A line for each image with a lesion: how many pixels of it are annotated, its size group, and for each detector 1
    where the overlap accuracy (4.1) is 1, else 0."""
    group_of = {index: group for group, members in images.groups.items() for index in members.tolist()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *overlapping])
    for place, index in enumerate(images.lesions.tolist()):
        writer.writerow([
            *map(inert, (prepared.names[index], prepared.patients[index])), prepared.classes[prepared.labels[index]],
            images.sizes[index], group_of[index], *(int(found[place]) for found in overlapping.values())])
    write_text(path, printable(text.getvalue()))
