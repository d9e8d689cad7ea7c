"""What detectors find of lesions of every size, and at how many false marks: tables, the figure, and how to read it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from experiments.configuration.detector import THRESHOLD
from experiments.detectors.network import detector_name
from experiments.evaluation.by_size import Overlap
from experiments.evaluation.froc import IOU, RATES, Froc
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.figures import froc_figure
from experiments.reporting.html import Picture
from experiments.reporting.tables import Row, Table, interval, number

HEADINGS = tuple(f"{each:g} false" for each in RATES)


class Finds(Protocol):
    """What a detector finds, as of `DetectorResults`."""
    @property
    def sizes(self) -> dict[str, Overlap] | None: ...
    @property
    def froc(self) -> Froc | None: ...


def found_tables(loss: str, name: str, images: str, detectors: Mapping[str, Finds]) -> list[Table]:
    """Overlap accuracy by size, and sensitivity at RATES, of the five detectors of one loss.

    name: of the loss; images: of which set the figures are, as in "test images". No table without figures.
    """
    own = {group: detectors[detector_name(group, loss)] for group in GROUPS}
    found: list[Table] = []
    if all(each.sizes is not None for each in own.values()):
        found.append(sizes_table(f"{name}: overlap accuracy by the size of the annotation, {images}", own))
    if all(each.froc is not None for each in own.values()):
        found.append(froc_table(f"{name}: share of the lesions found", images, {
            group: each.froc for group, each in own.items() if each.froc is not None}))
    return found


def sizes_table(title: str, detectors: Mapping[str, Finds]) -> Table:
    """A row for each detector, by its group, a column for each size group of the images."""
    sizes = {group: detector.sizes or {} for group, detector in detectors.items()}
    columns = tuple(f"{size} ({of.images} image{'s' * (of.images != 1)})" for size, of in sizes[GROUPS[0]].items())
    return Table(title, columns, tuple(
        Row(f"detector {group}", tuple(number(of.value, 2) + interval(of.ci, " [{}, {}]") for of in found.values()))
        for group, found in sizes.items()))


def froc_table(title: str, images: str, found: Mapping[str, Froc]) -> Table:
    """A row for each detector."""
    first = next(iter(found.values()))
    rows = []
    for group, of in found.items():
        points = [*of.at.values(), of.all_marks]
        rows.append(Row(f"detector {group}", (
            *(number(point.sensitivity, 2) + interval(point.sensitivity_ci, " [{}, {}]") for point in points),
            number(of.all_marks.false_positives, 2) + interval(of.all_marks.false_positives_ci, " [{}, {}]"))))
    return Table(f"{title}: {first.lesions} lesions in {first.images} {images} of {first.patients} patients",
                 (*HEADINGS, "All marks", "False with all marks"), tuple(rows))


def froc_note() -> str:
    """How to read it."""
    return (f"A mark is a connected part of the pixels above the detector's threshold, {THRESHOLD:g}; its score is "
            "their mean output. It finds a lesion, a connected part of the annotation, where their intersection is at "
            f"least {IOU:g} of their union (IoU), and is false where it finds none: a mask of everything finds "
            "nothing. The columns are the share of the lesions that are found when the threshold on the scores is as "
            "low as so many false marks in an image allow, on average over the images with a lesion and the normal "
            "ones; “all marks” are the masks as they are. Abnormal images without an annotation take no part, and a "
            "thin annotation may fall into several lesions at the network's few pixels. In "
            "brackets: 95 % intervals by patient, of proportions after Korn and Graubard (1998), of the number of "
            "false marks after Fay and Feuer (1997); that the threshold was chosen on the same images is not in them.")


def froc_picture(found: Mapping[str, Mapping[str, Froc]]) -> Picture:
    """found: as of `froc_curves`."""
    return Picture(
        "Lesions found over false marks (FROC)", froc_figure(found),
        "A curve for each detector, P0 to P4, as the threshold on the score of a mark falls. Its end, with 95 % "
        "intervals by patient, is what the masks give as they are. Lesions are of every size, also for a detector that "
        "learned from one size alone. How a mark finds a lesion stands under “How to read it”.",
        "Curves of the share of the lesions found over the number of false marks in an image", wide=True)


def curves_of(detectors: Mapping[str, Finds]) -> dict[str, Froc]:
    """Of those detectors that have one."""
    return {name: each.froc for name, each in detectors.items() if each.froc is not None}


def froc_sentences(images: str, detectors: Mapping[str, Finds], names: Mapping[str, str]) -> Sequence[str]:
    """For each loss, by its name, how many lesions each detector finds with its masks as they are, in words."""
    sentences = []
    for loss, name in names.items():
        found = {group: detectors[detector_name(group, loss)].froc for group in GROUPS}
        told = [f"{group} {number(of.all_marks.sensitivity, 2)} ({number(of.all_marks.false_positives, 2)})"
                for group, of in found.items() if of is not None]
        if told:
            sentences.append(f"{name}: share of all lesions found, and in brackets false marks in an image, {images}: "
                             f"{', '.join(told)}.")
    return sentences
