"""The report of ROI detectors on another set."""
from __future__ import annotations

from collections.abc import Mapping

from experiments.detectors.network import detector_name
from experiments.evaluating.comparison import compared, unpaired_note
from experiments.evaluating.detectors import SortedImages
from experiments.evaluating.folder import settings_of, write_evaluation
from experiments.evaluating.record import EvaluationRecord, TransferredDetectors
from experiments.evaluating.run import EvaluatedRun
from experiments.evaluation.segmentation import MEASURES
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.figures import Detection, borders_figure
from experiments.reporting.html import Picture
from experiments.reporting.roi_froc import curves_of, found_tables, froc_note, froc_picture, froc_sentences
from experiments.reporting.roi_tables import COLUMNS, LOSS_NAMES, ranges
from experiments.reporting.tables import Row, Table, number
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import Provenance

TITLE = "Detectors of regions of interest on another data set"
FIGURES = {"overlap accuracy": "overlap accuracy, own size group", "share of the lesions found": "lesions found",
           "false marks in an image": "false marks in an image"}
READING = (
    "Accuracy, precision and recall are of all pixels of a set together. The overlap accuracy (4.1) is the share of "
    "images whose Szymkiewicz-Simpson coefficient of predicted and annotated mask is at least 0.2. It is 1 for a "
    "prediction that covers everything: hence the precision, and the false marks, beside it.",
    "The losses of Dice (3.43) and SS (3.49) cannot be compared with each other.",
    "n/a: the figure is undefined, a ratio 0/0, or the set is empty. Without a bracket the interval is undefined: "
    "fewer than two patients.")


def report(folder: RunFolder, record: EvaluationRecord, run: EvaluatedRun, found: TransferredDetectors,
           images: SortedImages, examples: Mapping[str, Detection], origin: Provenance) -> None:
    """What `write_evaluation` writes. origin: of the detectors."""
    learned, *warnings, _ = origin.sentences
    others, own = f"images of {record.data.name}", curves_of(found.own)
    tables = [table for loss, name in LOSS_NAMES.items() for table in (
        difference_table(loss, name, found), measures_table(loss, name, others, found),
        *found_tables(loss, name, others, found.other))]
    texts = [learned, *record.data.notes, *READING, froc_note(), unpaired_note("images and lesions"),
             *left_out(images, record), *missing(found)]
    curves = ({"own test images": own} if own else {}) | {others: curves_of(found.other)}
    pictures = {
        "froc": froc_picture(curves),
        "borders": Picture(
            "Predicted and annotated lesions", borders_figure(examples),
            "An image of the other set for each size group, with the predicted and the annotated border, for both "
            "losses: the image whose annotation is of the group's middle size, whatever the detectors make of it.",
            "Mammograms with borders of predicted and annotated lesions", wide=True, photograph=True)}
    write_evaluation(folder, record, TITLE, settings_of(record, run.record.configuration), found,
                     [*warnings, *sentences(found, others)], tables, texts, pictures, [])


def difference_table(loss: str, name: str, found: TransferredDetectors) -> Table:
    """Own test set beside other set, for the five detectors of one loss."""
    rows = {f"{group}: {FIGURES[figure]}": each for group in GROUPS
            for figure, each in found.differences[detector_name(group, loss)].items()}
    return compared(f"{name}: own test set and other set", rows, 2)


def measures_table(loss: str, name: str, images: str, found: TransferredDetectors) -> Table:
    """The measures of Figure 4.3 on the other set, and on the own test set below them."""
    rows: list[Row] = []
    for group, extent in zip(GROUPS, ranges(found.bounds), strict=True):
        there, here = found.other[detector_name(group, loss)], found.own[detector_name(group, loss)]
        sets = {f"{group} ({extent} px): {images} of its size ({found.groups[group]})": there.group,
                "own test images of its size": here.group["test"], f"all {images} with a lesion": there.complete,
                "all own test images with a lesion": here.complete["test"]}
        rows += [Row(label, tuple(number(of[measure]) for measure in MEASURES), comparison=place > 0)
                 for place, (label, of) in enumerate(sets.items())]
    return Table(f"{name}: the five detectors, per pixel; overlap accuracy per image", tuple(COLUMNS.values()),
                 tuple(rows))


def sentences(found: TransferredDetectors, images: str) -> list[str]:
    """What the detectors find of the other set, in words."""
    told = []
    for loss, name in LOSS_NAMES.items():
        names = {group: detector_name(group, loss) for group in GROUPS}
        figures = [f"{group} {number(found.other[of].sizes[group].value, 2)} "
                   f"({number(found.own[of].group['test']['overlap_accuracy'], 2)})" for group, of in names.items()]
        told.append(f"{name}: overlap accuracy on the {images} of the detector's own size group, and in brackets on "
                    f"its own test images: {', '.join(figures)}.")
    empty = [group for group, number_of in found.groups.items() if not number_of]
    if empty:
        told.append(f"There is no image of the other set in {' and '.join(empty)}: n/a.")
    return [*told, *froc_sentences(f"on the {images}", found.other, LOSS_NAMES)]


def left_out(images: SortedImages, record: EvaluationRecord) -> list[str]:
    """What of the other set takes no part, and by which bounds it was sorted."""
    unmarked = ([f"Abnormal images of {record.data.name} without an annotation, which take no part: {images.unmarked}."]
                if images.unmarked else [])
    normal = [] if len(images.normal) else [
        f"{record.data.name} has no normal images here: the false marks are those beside the lesions of abnormal "
        "images alone."]
    return [*unmarked, *normal, "The size groups are those of the run, by the percentiles of its own training "
                                "annotations, in pixels of the network's input."]


def missing(found: TransferredDetectors) -> list[str]:
    return [] if all(each.froc is not None and each.sizes is not None for each in found.own.values()) else [
        "The run was made by an earlier version, which measured neither the lesions found over false marks nor "
        "intervals of the overlap accuracy on the own test images: these columns are absent."]
