"""The ten detectors of a run on another set, sorted into the run's own size groups."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from experiments.configuration.detector import LOSSES, THRESHOLD
from experiments.detectors.finding import find
from experiments.detectors.network import detector_name, probabilities
from experiments.detectors.trained import TrainedDetector, load_detector
from experiments.detectors.training import measure
from experiments.evaluating.other import OtherSet
from experiments.evaluating.record import OtherDetection, TransferredDetectors
from experiments.evaluating.run import EvaluatedRun
from experiments.evaluation.results import NAME, RoiResults
from experiments.evaluation.segmentation import DetectorResults
from experiments.evaluation.unpaired import Figure, UnpairedDifference, unpaired
from experiments.inputs.size_groups import GROUPS, annotation_sizes, grouped, normal_images
from experiments.reporting.expected import seconds_per_panel
from experiments.reporting.figures import Detection
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import Provenance
from experiments.runs.speed import seconds_per_image
from experiments.system.durations import Parts
from experiments.system.errors import Failure
from experiments.system.progress import over
from experiments.system.records import read_record

DETECTORS = [(loss, group) for loss in LOSSES for group in GROUPS]
PANELS = 4 + len(DETECTORS)  # of the report: curves, borders
PASSES = 2 + 1 / len(GROUPS)  # through each detector, of an image with a lesion


@dataclass(frozen=True)
class SortedImages:
    """Of the other set. sizes: (N,) pixels of the annotation of every image; groups: indices of the images with a
    lesion, by size group; normal: of normal ones; unmarked: number of abnormal images that nobody annotated."""
    sizes: np.ndarray
    groups: dict[str, np.ndarray]
    normal: np.ndarray
    unmarked: int

    @property
    def lesions(self) -> np.ndarray:
        return np.sort(np.concatenate(list(self.groups.values())))


def expected(detectors: Mapping[str, TrainedDetector], images: int) -> Parts:
    """The seconds that the ten detectors, for so many images, and the report take."""
    first = next(iter(detectors.values()))
    image = seconds_per_image(first.network, first.configuration.side)
    return {"evaluating": len(DETECTORS) * PASSES * images * image,
            "report": PANELS * seconds_per_panel()}


def own_results(run: EvaluatedRun) -> RoiResults:
    """Raises Failure where the run's results.json is damaged."""
    return read_record(RoiResults, run.folder.path / NAME)


def load(run: EvaluatedRun, device: str) -> dict[str, TrainedDetector]:
    """The ten detectors by their names."""
    found = {}
    for loss, group in DETECTORS:
        name = detector_name(group, loss)
        folder = RunFolder(run.folder.path / name)
        found[name] = load_detector(folder.checkpoint, device, run.checkpoint(folder, name))
    return found


def origin(detectors: Mapping[str, TrainedDetector]) -> Provenance:
    """What all of them together were trained on."""
    return replace(next(iter(detectors.values())).provenance, detector=None)


def sorted_images(other: OtherSet, bounds: list[float]) -> SortedImages:
    """By the run's bounds. Raises Failure where no image has an annotation."""
    sizes, kept = annotation_sizes(other.prepared), other.kept
    marked, normal = kept[sizes[kept] > 0], kept[normal_images(other.prepared)[kept]]
    if not len(marked):
        raise Failure(f"{other.record.name}: none of its {len(kept)} images has an annotated lesion, by which "
                      "detectors are measured. Add masks: in the folder format, the paths in the column mask")
    return SortedImages(sizes, dict(zip(GROUPS, grouped(sizes, marked, np.array(bounds)), strict=True)), normal,
                        len(kept) - len(marked) - len(normal))


def transfer(detectors: Mapping[str, TrainedDetector], own: RoiResults, images: SortedImages, other: OtherSet
             ) -> tuple[TransferredDetectors, dict[str, np.ndarray]]:
    """What is measured; and of each detector (n,) bool, whether (4.1) is 1 for each image with a lesion."""
    found: dict[str, OtherDetection] = {}
    overlapping: dict[str, np.ndarray] = {}
    names = [(loss, group, detector_name(group, loss)) for loss, group in DETECTORS]
    for loss, group, name in over(names, "Evaluating", "detector"):
        network, batch = detectors[name].network, detectors[name].configuration.batch
        of_group, complete = (measure(network, loss, other.prepared, indices, batch)
                              for indices in (images.groups[group], images.lesions))
        at = find(network, other.prepared, images.groups, images.normal, batch)
        found[name], overlapping[name] = OtherDetection(of_group, complete, at.sizes, at.froc), at.overlapping
    return TransferredDetectors(
        own.detectors, found, {name: differences(group, own.detectors[name], found[name]) for _, group, name in names},
        {group: len(members) for group, members in images.groups.items()}, own.groups.bounds, other.record), overlapping


def differences(group: str, own: DetectorResults, other: OtherDetection) -> dict[str, UnpairedDifference]:
    """Of the detector of that group; without those figures that an earlier version did not measure."""
    found = {}
    if own.sizes is not None:
        here, there = own.sizes[group], other.sizes[group]
        found["overlap accuracy"] = unpaired(Figure(here.value, here.ci), Figure(there.value, there.ci))
    if own.froc is not None:
        before, after = own.froc.all_marks, other.froc.all_marks
        found["share of the lesions found"] = unpaired(Figure(before.sensitivity, before.sensitivity_ci),
                                                       Figure(after.sensitivity, after.sensitivity_ci))
        found["false marks in an image"] = unpaired(
            Figure(before.false_positives, before.false_positives_ci),
            Figure(after.false_positives, after.false_positives_ci))
    return found


def examples(detectors: Mapping[str, TrainedDetector], images: SortedImages, other: OtherSet) -> dict[str, Detection]:
    """For each detector the image of its size group whose annotation is of the middle size; none for an empty group."""
    found = {}
    for loss, group in DETECTORS:
        members, name = images.groups[group], detector_name(group, loss)
        if len(members):
            areas = images.sizes[members]
            image, mask = other.prepared.images_and_masks([members[np.argmin(abs(areas - np.median(areas)))]])
            output = probabilities(detectors[name].network, image)[0, ..., 0]
            found[name] = Detection(image[0, ..., 0], output > THRESHOLD, mask[0, ..., 0] > 0)
    return found
