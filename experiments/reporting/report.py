"""A run's results, written into its folder: figures, tables, results.json and the page with all of it."""
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import evaluate
from experiments.evaluation.thesis import Shown
from experiments.reporting.confounders import confounders_section
from experiments.reporting.figures import loss_figure, roc_figure, samples_figure
from experiments.reporting.html import Picture, report_html, section_markdown
from experiments.reporting.record import Predictions, RunRecord, Samples
from experiments.reporting.tables import NAMES, confusion_table, metrics_table, notes, tables_markdown
from experiments.reporting.wording import headline
from experiments.system.files import write_bytes, write_json, write_text


def write_results(folder: Path, record: RunRecord, predictions: Mapping[str, Predictions],
                  losses: Mapping[str, Sequence[Mapping[str, Any]]], samples: Samples,
                  shown: Shown, confounders: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Evaluates and writes results.json, tables.md, figures/{roc,loss,samples}.png and report.html into `folder`.

    predictions  "test" and, where wanted, "train"
    losses       name of a training -> the lines of its metrics.jsonl, in the order of the steps
    shown        the thesis's tables to compare with and the numbers of its figures
    confounders  of real data, as `evaluation.confounders` finds them: a section of its own

    Returns what results.json holds: "test" and "train" as `evaluate` gives them, "data", "seed" and, where there are
    some, "confounders". Each file is written whole or not at all. Raises `Failure` where a file cannot be written or
    the outputs are not finite, and ValueError where a patient has images in both splits: such results would be worth
    nothing.
    """
    _check_disjoint(predictions)
    results: dict[str, Any] = {
        split: evaluate(outputs.probabilities, outputs.labels, outputs.patients, record.classes)
        for split, outputs in predictions.items()}
    results["data"] = {"name": record.dataset, "is_ddsm": record.is_ddsm, "fingerprint": record.fingerprint,
                       "excluded": record.excluded, "dropped": record.dropped}
    results["seed"] = record.seed
    printed = shown.tables if record.classes == CLASSES else {}
    texts = [*record.notes, *notes(printed, record.is_ddsm, record.dataset, record.classes)]
    sections = []
    if confounders is not None:
        results["confounders"] = confounders
        sections.append(confounders_section(confounders, results["test"]))
    pictures = _pictures(predictions, results, losses, samples, shown)
    splits = [split for split in NAMES if split in predictions]
    page = report_html(
        record, {split: results[split] for split in splits}, headline(results),
        [table for split in splits for table in (metrics_table(split, results[split], printed.get(split)),
                                                 confusion_table(split, results[split]))],
        texts, list(pictures.values()), sections)
    write_json(folder / "results.json", results)
    write_text(folder / "tables.md", "\n".join(
        [tables_markdown(results, printed, texts), *map(section_markdown, sections)]))
    for name, picture in pictures.items():
        write_bytes(folder / "figures" / f"{name}.png", picture.data)
    write_text(folder / "report.html", page)
    return results


def _check_disjoint(predictions: Mapping[str, Predictions]) -> None:
    patients = [set(np.unique(outputs.patients).tolist()) for outputs in predictions.values()]
    both = sorted(set.intersection(*patients)) if len(patients) > 1 else []
    if both:
        raise ValueError(f"{len(both)} patients, {both[0]} among them, have images in both {' and '.join(predictions)}")


def _pictures(predictions: Mapping[str, Predictions], results: dict[str, Any],
              losses: Mapping[str, Sequence[Mapping[str, Any]]], samples: Samples, shown: Shown
              ) -> dict[str, Picture]:
    *most, last = samples.classes
    others = "the two others" if len(most) == 2 else "the other"
    return {
        "roc": Picture(
            "ROC curves", roc_figure(predictions, results),
            f"Each class against {others}, as in Figure {shown.roc} of the thesis. A curve shows which share of "
            "the class is found (recall) if a certain share of the other images is mistaken for it (fallout), for all "
            "thresholds on the network's output. The dotted diagonal is guessing. In brackets: 95 % intervals by "
            "patient. Where curves turn near the upper left corner, it stands below once more, enlarged.",
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
