"""report.html and reproduce.json: everything that the stages found, beside what the thesis shows."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.configuration.detector import DetectorConfiguration
from experiments.datasets.mammogram import THESIS
from experiments.evaluation import thesis
from experiments.reporting.audit_tables import audit_notes, audit_sentences, audit_tables
from experiments.reporting.comparison import paired_sentences
from experiments.reporting.html import Chapter, Section, render
from experiments.reporting.record import RunRecord
from experiments.reporting.tables import interval, number
from experiments.reporting.wording import against
from experiments.reproduction.report.classification_chapters import (
    comparison_chapter,
    decomposition_chapter,
    end2end_chapter,
    merging_chapter,
    table_notes,
)
from experiments.reproduction.report.data_chapters import appendix_chapter, data_chapter, detection_chapter, not_theirs
from experiments.reproduction.report.losses import loss_summary, retraining_sentences
from experiments.reproduction.report.material import FinishedRun, Material
from experiments.reproduction.report.roi import best_overlap, overlap_sentences
from experiments.reproduction.report.settings import PRINTED, differing
from experiments.runs.training_time import total_time
from experiments.system.files import write_json, write_text


def write_reproduction(folder: Path, record: dict[str, Any], material: Material) -> list[str]:
    """Write both files; the page last. record: config.json of the whole. Returns the result in sentences.

    Raises Failure where a file cannot be written.
    """
    configuration, data = record["configuration"], material.data
    sentences = headline(material)
    seconds, untimed = total_time([run.path for run in runs(material)])
    about = RunRecord(
        title="The thesis reproduced: chapter 4 and appendix A.1-A.2", command=record["command"], config=configuration,
        versions=record["versions"], seed=material.detectors.configuration["seed"], dataset=data["name"],
        is_ddsm=data["is_ddsm"], fingerprint=data["fingerprint"], seconds=seconds, untimed=untimed,
        started=record.get("started"))
    write_json(folder / "reproduce.json", numbers(material))
    write_text(folder / "report.html", render("reproduction.html.jinja", about, sentences, [], [], [],
                                              chapters=chapters(material)))
    return sentences


def chapters(material: Material) -> list[Chapter]:
    """In the thesis's order, then what goes beyond it."""
    theirs, absent = not_theirs(material), why_not(material)
    audit = material.audit
    first, *recomputed = audit_tables(audit)
    return [
        data_chapter(material),
        end2end_chapter(material, theirs, absent),
        detection_chapter(material),
        merging_chapter(material, theirs, absent),
        decomposition_chapter(material, theirs, absent),
        appendix_chapter(material),
        comparison_chapter(material, absent),
        Chapter("The thesis audited", [
            Section("Errata 14 to 16", audit_sentences(audit), [first]),
            Section("Counts and tables recomputed", audit_notes(audit), recomputed)]),
        Chapter("How to read it", [
            Section("The tables of the classifiers", table_notes(
                material.data["is_ddsm"], material.data["name"], material.classes)),
            Section("The single runs", ["Each has a folder with a report of its own beside this file: "
                                        + ", ".join(each.path.name for each in runs(material)) + "."]),
            Section("What was not done", not_done(material))]),
    ]


def runs(material: Material) -> list[FinishedRun]:
    return [*material.end2end, material.detectors, *material.decomposition,
            *([] if material.retraining is None else [material.retraining])]


def headline(material: Material) -> list[str]:
    """The result in words, no surer than the figures are."""
    sentences = [not_theirs(material) + " The thesis's figures stand beside ours for orientation; a "
                 "difference says nothing about its method."]
    if not material.end2end:
        sentences.append(f"The classifiers could not be trained: {why_not(material)}")
    for runs, name, printed in ((material.end2end, "End-to-end", thesis.END_TO_END["test"]),
                                (material.decomposition, "Decomposition", thesis.DECOMPOSITION["test"])):
        for run in runs[:1]:
            test = run.results["test"]
            sentences.append(
                f"{name}: mean one-vs-all accuracy {number(test['accuracy']['mean'], 3)}"
                f"{interval(test['accuracy_ci']['mean'], ' (95 % interval {} to {})')} on {test['images']} test images "
                f"of {test['patients']} patients; always “{test['majority']['class']}” gives "
                f"{number(test['majority']['accuracy']['mean'], 3)}; the thesis prints "
                f"{number(printed.accuracy[3], 3)} (Table {printed.number}).")
            sentences += against("mean AUROC", test["auroc"]["mean"], test["auroc_ci"]["mean"], 0.5)
    if material.comparison is not None:
        sentences.append(paired_sentences(material.comparison["paired"])[0])
        sentences += over_seeds(material.comparison["spread"])
    steps = DetectorConfiguration(**material.detectors.configuration).total_steps
    sentences += [f"ROI detectors, {text}" for text in overlap_sentences(best_overlap(material.detectors), steps)[:2]]
    if material.retraining is not None:
        sentences.append(retraining_sentences(loss_summary(material))[0])
    return sentences


def over_seeds(spread: Mapping[str, Any]) -> list[str]:
    """Mean and standard deviation over several seeds."""
    seeds = {found["seeds"] for found in spread.values()}
    if seeds == {1}:
        return []
    accuracies = {name: found["accuracy"]["mean"] for name, found in spread.items()}
    figures = " and ".join(f"{number(each['mean'], 3)} ± {number(each['sd'], 3)} ({name})"
                           for name, each in accuracies.items())
    return [f"The mean one-vs-all accuracies above are of the first training seed. Over {max(seeds)} training seeds: "
            f"{figures}, mean ± standard deviation."]


def why_not(material: Material) -> str:
    """The reason why there are no classifiers."""
    return (f"the data hold no {' and no '.join(material.missing)} images, and a classifier needs images of every "
            "class that it is to tell apart. ROI detection needs none.") if material.missing else ""


def not_done(material: Material) -> list[str]:
    """What the thesis has and this run has not, and what neither has."""
    texts = []
    if not material.data["is_ddsm"]:
        texts.append(f"The thesis's own experiment: its data are {THESIS}. With a copy of them: --data DIR "
                     "--preset thesis, which takes a GPU or many days.")
    tables = [table for table, run in (("4.1", material.end2end[:1]), ("4.4", [material.detectors]),
                                        ("4.5", material.decomposition[:1])) if run
              and differing(table, run[0].configuration)]
    if tables:
        texts.append(f"The hyper-parameters of the thesis: what differs is marked in Table {', '.join(tables)}. With "
                     "--preset thesis and no other of them given they are the thesis's.")
    if material.retraining is not None:
        before, after = material.retraining.record["decomposition"]["steps"], material.retraining.configuration["steps"]
        if after != before:
            texts.append(f"The retraining as long as the training before it: it has {after} steps, not {before}.")
    if material.drawn:
        texts.append("Nothing here was measured on mammograms. On drawn images the task is easier than on film, and "
                     "high figures show that the programs learn, no more.")
    return [*texts,
            "The thesis's figures are not printed here; what they show is said in words, from its captions and text.",
            "The histograms of weights and activations that A.3.3 logs for TensorBoard.",
            "Retraining is done once, whatever the number of seeds, and the ROI detectors are trained once."]


def numbers(material: Material) -> dict[str, Any]:
    """reproduce.json."""
    found: dict[str, Any] = {
        "data": material.data, "missing_classes": list(material.missing),
        "thesis": {"hyper_parameters": PRINTED, "images": thesis.IMAGES},
        "roi_detection": material.detectors.results, "overlap_accuracy": best_overlap(material.detectors),
        "audit": material.audit}
    if material.comparison is not None and material.retraining is not None:
        found |= {
            "end2end": {run.path.name: run.results for run in material.end2end},
            "decomposition": {run.path.name: run.results for run in material.decomposition},
            "retraining": material.retraining.results, "loss": loss_summary(material), **material.comparison}
    return found
