"""The results of ROI detection in its run's folder: figures, tables, results.json and the page with all of it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from experiments.configuration.detector import LOSSES
from experiments.detectors.evolution import read_evolution
from experiments.detectors.network import detector_name
from experiments.evaluation.confounders import Confounders
from experiments.evaluation.results import NAME, RoiResults
from experiments.evaluation.segmentation import MEASURES, DetectorResults
from experiments.inputs.loading import DataRecord
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.confounders import sources_section
from experiments.reporting.figures import Detection, borders_figure, evolution_figure, roi_grid_figure
from experiments.reporting.head import report_head
from experiments.reporting.html import Picture, render, section_markdown
from experiments.reporting.tables import Row, Table, list_markdown, number, table_markdown
from experiments.runs.folder import RunFolder
from experiments.runs.log import Entry
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure
from experiments.system.files import write_bytes, write_text
from experiments.system.records import read_record, write_record

LOSS_NAMES = {"dice": "Dice", "ss": "SS (sensitivity-specificity)"}
COLUMNS = {measure: measure.replace("_", " ").capitalize() for measure in MEASURES}
SETS = {("group", "test"): "own test images", ("group", "train"): "own training images",
        ("complete", "test"): "all test images", ("complete", "train"): "all training images"}
RESPECTABLE = 0.5  # precision below which an overlap accuracy of 1 says nothing


@dataclass(frozen=True)
class TrainedDetector:
    """What is reported of one detector.

    history    the lines of its metrics.jsonl
    evolution  the arrays of its evolution.npz
    """

    results: DetectorResults
    history: Sequence[Entry]
    evolution: Mapping[str, np.ndarray]


def report(folder: RunFolder, record: RunRecord, found: Confounders | None) -> None:
    """results.json, tables.md, the figures and report.html, from what the ten trainings left behind.

    found: the confounders of real data. Raises Failure where a file of a training is absent or damaged.
    """
    detectors = {}
    for name in (detector_name(group, loss) for loss in LOSSES for group in GROUPS):
        own = RunFolder(folder.path / name)
        detectors[name] = TrainedDetector(read_record(DetectorResults, own.path / NAME), own.history(),
                                          read_evolution(own.path / "evolution.npz"))
    results = write_roi_results(folder.path, record, detectors, found)
    print("\n".join([*headline(results), f"Report: {folder.path / 'report.html'}"]))


def write_roi_results(folder: Path, record: RunRecord, detectors: Mapping[str, TrainedDetector],
                      confounders: Confounders | None = None) -> RoiResults:
    """results.json, tables.md, figures/*.png and report.html, from the ten detectors "P0-dice" ... "P4-ss".

    confounders: of real data. Returns what results.json holds. Raises Failure where a file cannot be written, and
    where the record lacks the size groups.
    """
    data, groups = record.data, record.groups
    if groups is None:
        raise Failure(f"config.json in {folder} does not say how many images each size group has ('groups'). Restore "
                      "it from a copy, or start another run")
    results = RoiResults({name: detector.results for name, detector in detectors.items()},
                         {name: reached(detector.history) for name, detector in detectors.items()},
                         groups, data, record.configuration["seed"], confounders)
    sections = [] if confounders is None else [sources_section(confounders, sum(groups.test.values()))]
    tables = [measures_table(loss, results) for loss in LOSS_NAMES]
    texts, pictures = notes(data), _pictures(detectors)
    head = report_head("Detection of regions of interest in mammograms", record, record.configuration, data, [folder])
    page = render("roi_report.html.jinja", head, headline(results), tables, texts, list(pictures.values()), sections,
                  data, groups=groups, ranges=ranges(groups.bounds))
    write_record(folder / NAME, results)
    write_text(folder / "tables.md", "\n\n".join(
        ["# ROI detection", *map(table_markdown, tables), list_markdown(texts),
         *map(section_markdown, sections)]) + "\n")
    for name, picture in pictures.items():
        write_bytes(folder / "figures" / f"{name}.png", picture.data)
    write_text(folder / "report.html", page)
    return results


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


def _pictures(detectors: Mapping[str, TrainedDetector]) -> dict[str, Picture]:
    pictures = {
        "roi_grid": Picture(
            "The ten trainings", roi_grid_figure(
                {name: detector.history for name, detector in detectors.items()},
                {name: detector.results.complete for name, detector in detectors.items()}),
            "As in Figure 4.3 of the thesis: the measures of each detector while it is trained, on training images "
            "(blue) and test images (red, dashed) of its own size group. Straight lines: the finished detector on the "
            "complete data set, images of every size.",
            "A grid of curves: loss, accuracy, precision, recall and overlap accuracy of ten detectors", wide=True),
        "borders": Picture(
            "Predicted and annotated lesions", borders_figure(
                {name: _detection(detector.evolution) for name, detector in detectors.items()}),
            "As in Figure 4.4 of the thesis: a test image of each size group with the predicted and the annotated "
            "border, for both losses. Shown is the image whose annotation is of the group's middle size, whatever the "
            "detectors make of it.",
            "Ten mammograms with borders of predicted and annotated lesions", wide=True, photograph=True)}
    for loss in LOSS_NAMES:
        pictures[f"evolution-{loss}"] = Picture(
            f"How a prediction evolves: {LOSS_NAMES[loss]}, P4", evolution_figure(
                **detectors[detector_name("P4", loss)].evolution),
            "As in Figure A.2 of the thesis: the output for one test image of the group with the largest annotations, "
            "at growing numbers of training steps. The border is the annotation's.",
            "One mammogram and the detector's output for it at growing numbers of steps", wide=True, photograph=True)
    return pictures


def _detection(evolution: Mapping[str, np.ndarray]) -> Detection:
    return Detection(evolution["image"], evolution["probabilities"][-1] > 0.5, evolution["mask"])
