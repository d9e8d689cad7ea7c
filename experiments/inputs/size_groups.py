"""The size groups of 4.3: images sorted by the area of their annotation into five, P0 (smallest) to P4 (largest)."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from experiments.inputs.image_set import PreparedSet
from experiments.system.errors import Failure

PERCENTILES = (20, 40, 60, 80)
GROUPS = ("P0", "P1", "P2", "P3", "P4")


def annotation_sizes(prepared: PreparedSet) -> np.ndarray:
    """(N,) int64: white pixels of each image's prepared mask, 0 where nothing is annotated."""
    return np.array([np.count_nonzero(prepared.masks([index])) for index in range(len(prepared))], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class GroupsRecord:
    """For config.json and results.json.

    bounds         (4,) pixels, see `SizeGroups`
    train, test    images of each group
    lesion_pixels  of each group's test images the share of the pixels that are annotated; None where it has none
    """

    bounds: list[float]
    train: dict[str, int]
    test: dict[str, int]
    lesion_pixels: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class SizeGroups:
    """Which images belong to which group.

    sizes        (N,) int64, of all images: white pixels of the mask
    bounds       (4,) float64, pixels: the 20, 40, 60 and 80 percentiles of the training set's annotation sizes
    train, test  for each group the indices of its images, ascending
    normal       indices of the test images that are labelled normal, ascending: a mark in one is wrong
    """

    sizes: np.ndarray
    bounds: np.ndarray
    train: tuple[np.ndarray, ...]
    test: tuple[np.ndarray, ...]
    normal: np.ndarray = field(default_factory=lambda: np.array([], np.int64))

    @property
    def all_train(self) -> np.ndarray:
        """Every training image with a lesion: the complete data set of Figure 4.3."""
        return np.sort(np.concatenate(self.train))

    @property
    def all_test(self) -> np.ndarray:
        return np.sort(np.concatenate(self.test))

    def record(self, side: int) -> GroupsRecord:
        """side: of the masks, in pixels."""
        return GroupsRecord(
            self.bounds.tolist(), dict(zip(GROUPS, map(len, self.train), strict=True)),
            dict(zip(GROUPS, map(len, self.test), strict=True)),
            {name: float(self.sizes[members].mean() / side**2) if len(members) else None
             for name, members in zip(GROUPS, self.test, strict=True)})


def normal_images(prepared: PreparedSet) -> np.ndarray:
    """(N,) bool: which images are labelled normal. One of another class that nobody annotated may have a lesion."""
    return np.array([name == "normal" for name in prepared.classes])[prepared.labels]


def size_groups(sizes: np.ndarray, train: np.ndarray, test: np.ndarray, normal: np.ndarray | None = None) -> SizeGroups:
    """Groups of the images with a lesion, from sizes (N,) and the split's indices. normal: (N,) bool, `normal_images`.

    A size belongs to the first group whose upper bound it does not exceed, in training and test set by the same bounds:
    equal sizes are never torn apart. Raises Failure where there is no annotation, and where a group has no training
    image; a group without a test image is allowed.
    """
    without = np.array([], np.int64) if normal is None else test[normal[test]]
    train, test = train[sizes[train] > 0], test[sizes[test] > 0]
    if not len(train) or not len(test):
        raise Failure(f"{len(train)} training images and {len(test)} test images have an annotated lesion; ROI "
                      "detection needs both. Add masks: in the folder format, the paths in the column mask")
    bounds = np.percentile(sizes[train], PERCENTILES)
    groups = SizeGroups(sizes, bounds, grouped(sizes, train, bounds), grouped(sizes, test, bounds), without)
    empty = [name for name, members in zip(GROUPS, groups.train, strict=True) if not len(members)]
    if empty:
        values, counts = np.unique(sizes[train], return_counts=True)
        raise Failure(
            f"no training image in size group {' and '.join(empty)}: of {len(train)} annotations {counts.max()} cover "
            f"exactly {values[counts.argmax()]} pixels (bounds {', '.join(f'{bound:g}' for bound in bounds)}). A "
            "larger --side may tell their sizes apart; otherwise add images with lesions of other sizes")
    return groups


def grouped(sizes: np.ndarray, indices: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each group those of the indices, of images with a lesion, whose sizes (N,) belong to it by these bounds."""
    group = np.searchsorted(bounds, sizes[indices], side="left")
    return tuple(indices[group == number] for number in range(len(GROUPS)))
