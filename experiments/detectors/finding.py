"""What a detector finds in images that it has not learned from: lesions of each size, and at how many false marks."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.layer import Layer
from experiments.configuration.detector import THRESHOLD
from experiments.detectors.network import probabilities
from experiments.evaluation.by_size import Overlap, overlap_by_size
from experiments.evaluation.froc import Froc, froc, image_marks
from experiments.evaluation.segmentation import overlap_accuracy
from experiments.inputs.image_set import PreparedSet


@dataclass(frozen=True, slots=True)
class Found:
    """sizes: by size group; froc: of all images.

    lesions, overlapping    (n,) indices of the images with a lesion, ascending, and (n,) bool, whether (4.1) is 1
    """
    sizes: dict[str, Overlap]
    froc: Froc
    lesions: np.ndarray
    overlapping: np.ndarray


def find(network: Layer, prepared: PreparedSet, groups: Mapping[str, np.ndarray], normal: np.ndarray, batch: int
         ) -> Found:
    """groups: indices of the images with a lesion, by size group, at least one; normal: of images without one.

    A batch of images is in memory at a time.
    """
    lesions = np.sort(np.concatenate(list(groups.values())))
    indices = np.sort(np.concatenate([lesions, normal]))
    overlapping, marks = [], []
    for start in range(0, len(indices), batch):
        images, masks = prepared.images_and_masks(indices[start:start + batch])
        outputs, annotated = probabilities(network, images), masks > 0
        overlapping.append(overlap_accuracy(outputs > THRESHOLD, annotated) > 0)
        marks += [image_marks(output[..., 0], mask[..., 0], THRESHOLD)
                  for output, mask in zip(outputs, annotated, strict=True)]
    patients, places = prepared.patients[indices], np.searchsorted(indices, lesions)
    found = np.concatenate(overlapping)[places]
    of_groups = {group: np.searchsorted(lesions, members) for group, members in groups.items()}
    return Found(overlap_by_size(found, patients[places], of_groups), froc(marks, patients), lesions, found)
