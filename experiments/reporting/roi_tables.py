"""What ROI detectors reach, in a table and in words."""
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from experiments.detectors.network import detector_name
from experiments.evaluation.results import RoiResults
from experiments.evaluation.segmentation import MEASURES
from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.tables import Row, Table, number
from experiments.runs.log import Entry

LOSS_NAMES = {"dice": "Dice", "ss": "SS (sensitivity-specificity)"}
COLUMNS = {measure: measure.replace("_", " ").capitalize() for measure in MEASURES}
SETS = {("group", "test"): "own test images", ("group", "train"): "own training images",
        ("complete", "test"): "all test images", ("complete", "train"): "all training images"}
RESPECTABLE = 0.5  # precision below which an overlap accuracy of 1 says nothing


def reached(history: Sequence[Entry]) -> int | None:
    """The step of the first evaluation with overlap accuracy 1 on the group's own test images at a precision of at
    least one half; None if there was none. (A prediction that covers everything has overlap accuracy 1, too.)
    """
    tests = [(entry.step, entry.evaluation["test"]) for entry in history if entry.evaluation is not None]
    return next((step for step, test in tests
                 if test["overlap_accuracy"] == 1 and (test["precision"] or 0) >= RESPECTABLE), None)


def measures_table(loss: str, results: RoiResults) -> Table:
    """The measures of Figure 4.3 for the five detectors of one loss, at the end of training."""
    rows: list[Row] = []
    for group, extent in zip(GROUPS, ranges(results.groups.bounds), strict=True):
        detector = results.detectors[detector_name(group, loss)]
        scopes = {"group": detector.group, "complete": detector.complete}
        for (scope, split), label in SETS.items():
            cells = tuple(number(scopes[scope][split][measure]) for measure in MEASURES)
            own = (scope, split) == ("group", "test")
            rows.append(Row(f"{group} ({extent} px): {label}" if own else label, cells, comparison=not own))
        share = results.groups.lesion_pixels[group]
        rows.append(Row("every pixel marked, own test images", (
            "", number(share), number(share), number(None if share is None else 1.0),
            number(None if share is None else 1.0)), comparison=True))
    return Table(f"{LOSS_NAMES[loss]}: the five detectors, per pixel; overlap accuracy per image", tuple(
        COLUMNS.values()), tuple(rows))


def ranges(bounds: Sequence[float]) -> list[str]:
    """The sizes of the five groups' annotations in whole pixels, as text."""
    whole = [int(bound) for bound in bounds]  # a size is whole: it exceeds the bound where it exceeds this
    return [f"up to {whole[0]}", *(f"{low + 1} to {high}" for low, high in pairwise(whole)),
            f"from {whole[-1] + 1}"]


def headline(results: RoiResults) -> list[str]:
    """What the detectors reach on the test images of their own size group, in words."""
    sentences = []
    for loss, name in LOSS_NAMES.items():
        own = {group: results.detectors[detector_name(group, loss)].group["test"] for group in GROUPS}
        figures = ", ".join(f"{group} {number(test['overlap_accuracy'], 2)} ({number(test['precision'], 2)})"
                            for group, test in own.items())
        steps = {group: results.reached[detector_name(group, loss)] for group in GROUPS}
        whole = [f"{group} at step {step}" for group, step in steps.items() if step is not None]
        sentences += [
            f"{name}: overlap accuracy, and in brackets precision per pixel, on the test images of the detector's own "
            f"size group: {figures}.",
            f"An overlap accuracy of 1 with a precision of {RESPECTABLE:g} or more was first measured for "
            f"{', '.join(whole)}." if whole else
            f"No {name} detector reached an overlap accuracy of 1 with a precision of {RESPECTABLE:g} or more."]
    empty = [group for group, images in results.groups.test.items() if not images]
    if empty:
        sentences.append(f"There is no test image in {' and '.join(empty)}: n/a.")
    return sentences


def notes(data: DataRecord) -> list[str]:
    """What a reader of the tables has to know."""
    return [
        *data.notes,
        "Accuracy, precision and recall are of all pixels of a set together. The overlap accuracy (4.1) is the share "
        "of images whose Szymkiewicz-Simpson coefficient of predicted and annotated mask is at least 0.2. It is 1 for "
        "a prediction that covers everything: hence the line “every pixel marked”, and the precision beside it.",
        "A detector learns from the training images of its own size group alone. “All” are the images of every size "
        "that have a lesion. While training goes on, at most 200 training images of a group are evaluated, always the "
        "same; the figures in the tables are of all of them.",
        "The values of the two losses cannot be compared with each other. Dice (3.43) and SS (3.49, corrected: the "
        "squared difference) are ratios over a batch; given is the mean over the batches of a set.",
        "n/a: the figure is undefined, a ratio 0/0, or the set is empty.",
        "A.1 of the thesis reports an overlap accuracy of 1 after 2000 training steps on its own placeholder data; its "
        "Figure 4.3 has no numbers."
        + ("" if data.is_ddsm else f" Our data ({data.name}) are not the thesis's (DDSM)."),
    ]
