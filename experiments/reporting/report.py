"""A run's results, written into its folder: figures, tables, results.json and the page with all of it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import Evaluation, evaluate_predictions
from experiments.evaluation.cancer import cancer_measures
from experiments.evaluation.confounders import Confounders
from experiments.evaluation.operating_point import Realised, operating_point
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.results import NAME, ClassifierResults
from experiments.evaluation.thesis import Shown
from experiments.reporting.cancer import calibration_picture, cancer_section
from experiments.reporting.confounders import confounders_section
from experiments.reporting.figures import Samples, loss_figure, roc_figure, samples_figure
from experiments.reporting.head import report_head
from experiments.reporting.html import Picture, render, section_markdown
from experiments.reporting.layers import TITLE, layers_picture
from experiments.reporting.tables import NAMES, confusion_table, metrics_table, notes, tables_markdown
from experiments.reporting.wording import headline
from experiments.runs.log import Entry, LayersEntry
from experiments.runs.record import RunRecord
from experiments.system.files import write_bytes, write_text
from experiments.system.records import write_record


def write_results(folder: Path, title: str, record: RunRecord, predictions: Mapping[str, ImagePredictions],
                  losses: Mapping[str, Sequence[Entry]], samples: Samples, shown: Shown,
                  confounders: Confounders | None = None, layers: Sequence[LayersEntry] = ()) -> ClassifierResults:
    """Evaluates and writes results.json, tables.md, figures/{roc,loss,samples,calibration,layers}.png and report.html
    into the folder.

    title        of the page
    predictions  "test", "train" and, of images that were held out of training, "validation"
    losses       name of a training -> the lines of its metrics.jsonl, in the order of the steps
    shown        the thesis's tables to compare with and the numbers of its figures
    confounders  of real data: a section of its own
    layers       the lines of the run's histograms.jsonl; without any there is no figure of the layers

    Returns what results.json holds. Each file is written whole or not at all. Raises `Failure` where a file cannot be
    written or the outputs are not finite, and ValueError where a patient has images in both splits: such results would
    be worth nothing.
    """
    _check_disjoint(predictions)
    data, classes = record.data, predictions["test"].classes
    test, train = (evaluate_predictions(predictions[split]) for split in ("test", "train"))
    point = operating_point(predictions["validation"]) if "validation" in predictions else None
    cancer = cancer_measures(predictions["test"], point)
    results = ClassifierResults(test, train, data, record.configuration["seed"], confounders, point, cancer)
    splits = results.splits
    printed = shown.tables if classes == CLASSES else {}
    texts = [*data.notes, *notes(printed, data.is_ddsm, data.name, classes)]
    sections = [cancer_section({"test": cancer}, point)]
    if confounders is not None:
        sections.append(confounders_section(confounders, test))
    pictures = _pictures({split: predictions[split] for split in splits}, splits, losses, samples, shown,
                         {} if cancer.realised is None else {"test": cancer.realised})
    pictures["calibration"] = calibration_picture({"test": cancer})
    if layers:
        pictures["layers"] = layers_picture(TITLE, layers)
    page = render(
        "report.html.jinja", report_head(title, record, record.configuration, data, [folder]), headline(test, train),
        [table for split, found in splits.items() for table in (metrics_table(split, found, printed.get(split)),
                                                                confusion_table(split, found))],
        texts, list(pictures.values()), sections, data, results=splits, classes=classes, split_names=NAMES)
    write_record(folder / NAME, results)
    write_text(folder / "tables.md", "\n".join(
        [tables_markdown(splits, printed, texts), *map(section_markdown, sections)]))
    for name, picture in pictures.items():
        write_bytes(folder / "figures" / f"{name}.png", picture.data)
    write_text(folder / "report.html", page)
    return results


def _check_disjoint(predictions: Mapping[str, ImagePredictions]) -> None:
    patients = {name: set(np.unique(outputs.patients).tolist()) for name, outputs in predictions.items()}
    for one, other in combinations(patients, 2):
        both = sorted(patients[one] & patients[other])
        if both:
            raise ValueError(f"{len(both)} patients, {both[0]} among them, have images in both {one} and {other}")


def _pictures(predictions: Mapping[str, ImagePredictions], results: Mapping[str, Evaluation],
              losses: Mapping[str, Sequence[Entry]], samples: Samples, shown: Shown,
              points: Mapping[str, Realised]) -> dict[str, Picture]:
    *most, last = samples.classes
    others = "the two others" if len(most) == 2 else "the other"
    return {
        "roc": Picture(
            "ROC curves", roc_figure(predictions, results, points),
            f"Each class against {others}, of images, as in Figure {shown.roc} of the thesis. A curve shows which "
            "share of the class is found (recall) if a certain share of the other images is mistaken for it (fallout), "
            "for all thresholds on the network's output. The dotted diagonal is guessing; the partial AUROC ends at "
            f"the dashed line{'; the diamond is the operating point, chosen on other patients' if points else ''}. In "
            "brackets: 95 % intervals by patient. Where curves turn near the upper left corner, it stands below once "
            "more, enlarged.",
            f"ROC curves of {', '.join(most)} and {last} with the diagonal of guessing", wide=True),
        "loss": Picture(
            "Loss during training", loss_figure(losses),
            f"As in Figure {shown.loss} of the thesis: points are single training batches, the line is their moving "
            "average around each point, of each training by itself. Near both ends the average is over the points that "
            "there are, so it says less. Below, where it was measured: the mean one-vs-all accuracy on the test set "
            "while training went on, by which nothing was chosen.",
            "Loss over training steps, as points, with its moving average as a line; below, the accuracy meanwhile"),
        "samples": Picture(
            "What the network sees", samples_figure(samples),
            "Test images after preprocessing, drawn at random from all classes, with label, answer and the "
            "network's output for that answer. Solid frame and tick: right. Dashed frame and cross: wrong."
            + ("" if samples.heat_maps is None else
               " Coloured: what the ROI detectors mark, the second channel (4.2)."),
            "A grid of preprocessed mammograms with label and answer", wide=True, photograph=True),
    }
