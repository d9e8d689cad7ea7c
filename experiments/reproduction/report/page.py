"""report.html and reproduce.json: everything that the stages found, beside what the thesis shows."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.configuration.training import TrainingConfiguration
from experiments.datasets.mammogram import THESIS
from experiments.evaluation import thesis
from experiments.evaluation.spread import Spread
from experiments.evaluation.thesis import PrintedTable
from experiments.reporting.audit_tables import audit_notes, audit_sentences, audit_tables
from experiments.reporting.comparison import paired_sentences
from experiments.reporting.head import report_head
from experiments.reporting.html import Chapter, Section, render
from experiments.reporting.tables import interval, number
from experiments.reporting.wording import against
from experiments.reproduction.beginning import ReproductionRecord
from experiments.reproduction.configuration import ReproductionConfiguration, targets
from experiments.reproduction.report.classification_chapters import (
    comparison_chapter,
    decomposition_chapter,
    end2end_chapter,
    merging_chapter,
    table_notes,
)
from experiments.reproduction.report.data_chapters import appendix_chapter, data_chapter, detection_chapter, not_theirs
from experiments.reproduction.report.losses import loss_courses, retraining_sentences
from experiments.reproduction.report.material import FinishedClassifier, Material
from experiments.reproduction.report.results import NAME, reproduction_results
from experiments.reproduction.report.roi import best_overlap, overlap_sentences
from experiments.reproduction.report.settings import differing
from experiments.runs.folder import RunFolder
from experiments.system.files import write_text
from experiments.system.records import write_record


def write_reproduction(folder: Path, record: ReproductionRecord, material: Material) -> list[str]:
    """Write both files; the page last. record: config.json of the whole. Returns the result in sentences.

    Raises Failure where a file cannot be written, and where one of a stage is absent or damaged.
    """
    sentences = headline(material)
    configuration = record.configuration.configuration(RunFolder(folder).config)
    head = report_head("The thesis reproduced: chapter 4 and appendix A.1-A.2", record, settings(configuration),
                       material.data, material.trainings)
    write_record(folder / NAME, reproduction_results(material))
    write_text(folder / "report.html", render("reproduction.html.jinja", head, sentences, [], [], [],
                                              chapters=chapters(material)))
    return sentences


def settings(configuration: ReproductionConfiguration) -> dict[str, Any]:
    """By the names of the flags."""
    return {"seeds": configuration.seeds, **{name: configuration.setting(name) for name in targets()},
            "retraining_steps": configuration.retraining_steps}


def chapters(material: Material) -> list[Chapter]:
    """In the thesis's order, then what goes beyond it."""
    theirs, absent = not_theirs(material), why_not(material)
    audit, runs, data = material.audit, material.classifiers, material.data
    first, *recomputed = audit_tables(audit)
    return [
        data_chapter(material),
        end2end_chapter(runs, theirs, absent),
        detection_chapter(material),
        merging_chapter(runs, theirs, absent),
        decomposition_chapter(runs, theirs, absent),
        appendix_chapter(material),
        comparison_chapter(runs, absent),
        Chapter("The thesis audited", [
            Section("Errata 14 to 16", audit_sentences(audit), [first]),
            Section("Counts and tables recomputed", audit_notes(audit), recomputed)]),
        Chapter("How to read it", [
            Section("The tables of the classifiers", table_notes(data.is_ddsm, data.name, material.classes)),
            Section("The single runs", ["Each has a folder with a report of its own beside this file: "
                                        + ", ".join(path.name for path in material.trainings) + "."]),
            Section("What was not done", not_done(material))]),
    ]


def headline(material: Material) -> list[str]:
    """The result in words, no surer than the figures are."""
    sentences = [not_theirs(material) + " The thesis's figures stand beside ours for orientation; a "
                 "difference says nothing about its method."]
    runs = material.classifiers
    if runs is None:
        sentences.append(f"The classifiers could not be trained: {why_not(material)}")
    else:
        sentences += [*reached("End-to-end", runs.end2end[0], thesis.END_TO_END["test"]),
                      *reached("Decomposition", runs.decomposition[0], thesis.DECOMPOSITION["test"]),
                      paired_sentences(runs.statistics.paired)[0], *over_seeds(runs.statistics.spread)]
    steps = material.detectors.configuration.total_steps
    sentences += [f"ROI detectors, {text}" for text in overlap_sentences(best_overlap(material.detectors), steps)[:2]]
    return sentences if runs is None else [*sentences, retraining_sentences(loss_courses(runs))[0]]


def reached(name: str, run: FinishedClassifier, printed: PrintedTable) -> list[str]:
    """A classifier's mean figures on the test set, beside the thesis's."""
    test = run.results.test
    return [f"{name}: mean one-vs-all accuracy {number(test.accuracy['mean'], 3)}"
            f"{interval(test.accuracy_ci['mean'], ' (95 % interval {} to {})')} on {test.images} test images of "
            f"{test.patients} patients; always “{test.majority.answer}” gives "
            f"{number(test.majority.accuracy['mean'], 3)}; the thesis prints {number(printed.accuracy[3], 3)} (Table "
            f"{printed.number}).",
            *against("mean AUROC", test.auroc["mean"], test.auroc_ci["mean"], 0.5)]


def over_seeds(spread: Mapping[str, Spread]) -> list[str]:
    """Mean and standard deviation over several seeds."""
    seeds = {found.seeds for found in spread.values()}
    if seeds == {1}:
        return []
    accuracies = {name: found.accuracy["mean"] for name, found in spread.items()}
    figures = " and ".join(f"{number(each.mean, 3)} ± {number(each.sd, 3)} ({name})"
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
    runs = material.classifiers
    if not material.data.is_ddsm:
        texts.append(f"The thesis's own experiment: its data are {THESIS}. With a copy of them: --data DIR "
                     "--preset thesis, which takes a GPU or many days.")
    made: dict[str, TrainingConfiguration] = {"4.4": material.detectors.configuration}
    if runs is not None:
        made |= {"4.1": runs.end2end[0].configuration, "4.5": runs.decomposition[0].configuration}
    tables = [table for table, configuration in sorted(made.items()) if differing(table, configuration)]
    if tables:
        texts.append(f"The hyper-parameters of the thesis: what differs is marked in Table {', '.join(tables)}. With "
                     "--preset thesis and no other of them given they are the thesis's.")
    if runs is not None:
        before, after = (run.configuration.total_steps for run in (runs.decomposition[0], runs.retraining))
        if after != before:
            texts.append(f"The retraining as long as the training before it: it has {after} steps, not {before}.")
    if material.drawn:
        texts.append("Nothing here was measured on mammograms. On drawn images the task is easier than on film, and "
                     "high figures show that the programs learn, no more.")
    return [*texts,
            "The thesis's figures are not printed here; what they show is said in words, from its captions and text.",
            "The histograms of weights and activations that A.3.3 logs for TensorBoard.",
            "Retraining is done once, whatever the number of seeds, and the ROI detectors are trained once."]
