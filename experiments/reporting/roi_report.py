"""The results of ROI detection in its run's folder: figures, tables, results.json and the page with all of it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from experiments.reporting.confounders import sources_section
from experiments.reporting.figures import Detection, borders_figure, evolution_figure, roi_grid_figure
from experiments.reporting.html import Picture, render, section_markdown
from experiments.reporting.record import RunRecord
from experiments.reporting.tables import Row, Table, list_markdown, number, table_markdown
from experiments.system.files import write_bytes, write_json, write_text

LOSS_NAMES = {"dice": "Dice", "ss": "SS (sensitivity-specificity)"}
COLUMNS = {"loss": "Loss", "accuracy": "Accuracy", "precision": "Precision", "recall": "Recall",
           "overlap_accuracy": "Overlap accuracy"}
SETS = {("group", "test"): "own test images", ("group", "train"): "own training images",
        ("complete", "test"): "all test images", ("complete", "train"): "all training images"}
RESPECTABLE = 0.5  # precision below which an overlap accuracy of 1 says nothing


@dataclass(frozen=True)
class TrainedDetector:
    """What is reported of one detector.

    results    {"group": {"train", "test"}, "complete": {"train", "test"}}, each with the figures of COLUMNS
    history    the lines of its metrics.jsonl
    evolution  the arrays of its evolution.npz
    """

    results: dict[str, Any]
    history: Sequence[Mapping[str, Any]]
    evolution: Mapping[str, np.ndarray]


def write_roi_results(folder: Path, record: RunRecord, groups: dict[str, Any], detectors: Mapping[str, TrainedDetector],
                      confounders: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """results.json, tables.md, figures/*.png and report.html, from the ten detectors "P0-dice" ... "P4-ss".

    groups: "bounds" (4,) in pixels; "train" and "test", images of each group; "lesion_pixels", the share of the pixels
    of each group's test images that are annotated, None where it has none. confounders: of real data, as
    `evaluation.confounders` finds them. Returns what results.json holds. Raises Failure where a file cannot be written.
    """
    results = {"detectors": {name: detector.results | {"reached": reached(detector.history)}
                             for name, detector in detectors.items()},
               "groups": groups, "seed": record.seed,
               "data": {"name": record.dataset, "is_ddsm": record.is_ddsm, "fingerprint": record.fingerprint,
                        "excluded": record.excluded, "dropped": record.dropped}}
    sections = []
    if confounders is not None:
        results["confounders"] = confounders
        sections.append(sources_section(confounders, sum(groups["test"].values())))
    tables = [measures_table(loss, results) for loss in LOSS_NAMES]
    texts, pictures = notes(record), _pictures(detectors)
    page = render("roi_report.html.jinja", record, headline(results), tables, texts, list(pictures.values()),
                  sections, groups=groups, ranges=ranges(groups["bounds"]))
    write_json(folder / "results.json", results)
    write_text(folder / "tables.md", "\n\n".join(
        ["# ROI detection", *map(table_markdown, tables), list_markdown(texts),
         *map(section_markdown, sections)]) + "\n")
    for name, picture in pictures.items():
        write_bytes(folder / "figures" / f"{name}.png", picture.data)
    write_text(folder / "report.html", page)
    return results


def reached(history: Sequence[Mapping[str, Any]]) -> int | None:
    """The step of the first evaluation with overlap accuracy 1 on the group's own test images at a precision of at
    least one half; None if there was none. (A prediction that covers everything has overlap accuracy 1, too.)
    """
    tests = [(entry["step"], entry["evaluation"]["test"]) for entry in history if "evaluation" in entry]
    return next((step for step, test in tests
                 if test["overlap_accuracy"] == 1 and (test["precision"] or 0) >= RESPECTABLE), None)


def measures_table(loss: str, results: dict[str, Any]) -> Table:
    """The measures of Figure 4.3 for the five detectors of one loss, at the end of training."""
    rows: list[Row] = []
    groups = results["groups"]
    for group, extent in zip(groups["train"], ranges(groups["bounds"]), strict=True):
        figures = results["detectors"][f"{group}-{loss}"]
        for (scope, split), label in SETS.items():
            cells = tuple(number(figures[scope][split][measure]) for measure in COLUMNS)
            own = (scope, split) == ("group", "test")
            rows.append(Row(f"{group} ({extent} px): {label}" if own else label, cells, comparison=not own))
        share = groups["lesion_pixels"][group]
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


def headline(results: dict[str, Any]) -> list[str]:
    """What the detectors reach on the test images of their own size group, in words."""
    sentences = []
    for loss, name in LOSS_NAMES.items():
        own = {group: results["detectors"][f"{group}-{loss}"]["group"]["test"] for group in results["groups"]["train"]}
        figures = ", ".join(f"{group} {number(test['overlap_accuracy'], 2)} ({number(test['precision'], 2)})"
                            for group, test in own.items())
        steps = {group: results["detectors"][f"{group}-{loss}"]["reached"] for group in own}
        whole = [f"{group} at step {step}" for group, step in steps.items() if step is not None]
        sentences += [
            f"{name}: overlap accuracy, and in brackets precision per pixel, on the test images of the detector's own "
            f"size group: {figures}.",
            f"An overlap accuracy of 1 with a precision of {RESPECTABLE:g} or more was first measured for "
            f"{', '.join(whole)}." if whole else
            f"No {name} detector reached an overlap accuracy of 1 with a precision of {RESPECTABLE:g} or more."]
    empty = [group for group, images in results["groups"]["test"].items() if not images]
    if empty:
        sentences.append(f"There is no test image in {' and '.join(empty)}: n/a.")
    return sentences


def notes(record: RunRecord) -> list[str]:
    """What a reader of the tables has to know."""
    return [
        *record.notes,
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
        + ("" if record.is_ddsm else f" Our data ({record.dataset}) are not the thesis's (DDSM)."),
    ]


def _pictures(detectors: Mapping[str, TrainedDetector]) -> dict[str, Picture]:
    pictures = {
        "roi_grid": Picture(
            "The ten trainings", roi_grid_figure(
                {name: detector.history for name, detector in detectors.items()},
                {name: detector.results["complete"] for name, detector in detectors.items()}),
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
                **detectors[f"P4-{loss}"].evolution),
            "As in Figure A.2 of the thesis: the output for one test image of the group with the largest annotations, "
            "at growing numbers of training steps. The border is the annotation's.",
            "One mammogram and the detector's output for it at growing numbers of steps", wide=True, photograph=True)
    return pictures


def _detection(evolution: Mapping[str, np.ndarray]) -> Detection:
    return Detection(evolution["image"], evolution["probabilities"][-1] > 0.5, evolution["mask"])
