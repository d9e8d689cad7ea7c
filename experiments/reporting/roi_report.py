"""The results of ROI detection in its run's folder: figures, tables, results.json and the page with all of it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.configuration.detector import LOSSES
from experiments.detectors.evolution import read_evolution
from experiments.detectors.network import detector_name
from experiments.evaluation.confounders import Confounders
from experiments.evaluation.results import NAME, RoiResults
from experiments.evaluation.segmentation import DetectorResults
from experiments.inputs.size_groups import GROUPS
from experiments.reporting.confounders import sources_section
from experiments.reporting.figures import Detection, borders_figure, evolution_figure, roi_grid_figure
from experiments.reporting.head import report_head
from experiments.reporting.html import Picture, render, section_markdown
from experiments.reporting.layers import TITLE, deaths, layers_picture
from experiments.reporting.roi_froc import curves_of, found_tables, froc_note, froc_picture, froc_sentences
from experiments.reporting.roi_tables import LOSS_NAMES, headline, measures_table, notes, ranges, reached
from experiments.reporting.tables import list_markdown, table_markdown
from experiments.runs.folder import RunFolder
from experiments.runs.log import Entry, LayersEntry
from experiments.runs.record import RunRecord
from experiments.system.errors import Failure
from experiments.system.files import write_bytes, write_text
from experiments.system.records import read_record, write_record

TESTED = "test images"


@dataclass(frozen=True)
class TrainedDetector:
    """What is reported of one detector.

    history    the lines of its metrics.jsonl
    evolution  the arrays of its evolution.npz
    layers     the lines of its histograms.jsonl
    """

    results: DetectorResults
    history: Sequence[Entry]
    evolution: Mapping[str, np.ndarray]
    layers: Sequence[LayersEntry] = ()


def report(folder: RunFolder, record: RunRecord, found: Confounders | None) -> None:
    """results.json, tables.md, the figures and report.html, from what the ten trainings left behind.

    found: the confounders of real data. Raises Failure where a file of a training is absent or damaged.
    """
    detectors = {}
    for name in (detector_name(group, loss) for loss in LOSSES for group in GROUPS):
        own = RunFolder(folder.path / name)
        detectors[name] = TrainedDetector(read_record(DetectorResults, own.path / NAME), own.history(),
                                          read_evolution(own.path / "evolution.npz"), own.layers())
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
    tables = [table for loss, name in LOSS_NAMES.items() for table in (
        measures_table(loss, results), *found_tables(loss, name, TESTED, results.detectors))]
    layers = {name: detector.layers for name, detector in detectors.items() if detector.layers}
    curves = curves_of(results.detectors)
    texts = [*notes(data), *([froc_note()] if curves else []),
             *([f"Layers of the detectors: {deaths(layers)}"] if layers else [])]
    pictures = _pictures(detectors) | ({"froc": froc_picture({TESTED: curves})} if curves else {})
    sentences = [*headline(results), *froc_sentences(f"of the {TESTED}", results.detectors, LOSS_NAMES)]
    head = report_head("Detection of regions of interest in mammograms", record, record.configuration, data, [folder])
    page = render("roi_report.html.jinja", head, sentences, tables, texts, list(pictures.values()), sections,
                  data, groups=groups, ranges=ranges(groups.bounds))
    write_record(folder / NAME, results)
    write_text(folder / "tables.md", "\n\n".join(
        ["# ROI detection", *map(table_markdown, tables), list_markdown(texts),
         *map(section_markdown, sections)]) + "\n")
    for name, picture in pictures.items():
        write_bytes(folder / "figures" / f"{name}.png", picture.data)
    write_text(folder / "report.html", page)
    return results


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
    for loss in LOSS_NAMES:
        if layers := detectors[detector_name("P4", loss)].layers:
            pictures[f"layers-{loss}"] = layers_picture(f"{TITLE}: {LOSS_NAMES[loss]}, P4", layers)
    return pictures


def _detection(evolution: Mapping[str, np.ndarray]) -> Detection:
    return Detection(evolution["image"], evolution["probabilities"][-1] > 0.5, evolution["mask"])
