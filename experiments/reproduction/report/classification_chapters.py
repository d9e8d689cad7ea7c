"""Everything that the thesis shows of its two classifiers, and what it does not: is one better than the other?"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import thesis
from experiments.evaluation.thesis import PrintedTable
from experiments.reporting.comparison import paired_sentences, paired_table, spread_table
from experiments.reporting.html import Chapter, Section
from experiments.reporting.tables import NAMES, confusion_table, metrics_table, notes, number
from experiments.reproduction.report.losses import (
    DECOMPOSITION,
    END2END,
    course_sentences,
    loss_courses,
    loss_table,
    retraining_sentences,
)
from experiments.reproduction.report.material import Classifiers, FinishedClassifier
from experiments.reproduction.report.settings import differing, settings_table

ROC = "Each class against the others; in brackets 95 % intervals by patient; the dotted diagonal is guessing."
ROC_TEXT = "ROC curves of the classes on test and training set"
LOSS = ("Points are single training batches, lines moving averages over the window in the legend; below, the accuracy "
        "on the test set while training went on.")
LOSS_TEXT = "Loss over training steps"


def end2end_chapter(runs: Classifiers | None, theirs: str, absent: str) -> Chapter:
    """runs: None where the data lack a class, for the reason `absent`; theirs: what the data are beside the thesis's.
    So in every chapter here."""
    title = "4.2 End-to-end training"
    if runs is None:
        return _not_done(title, ("Table 4.1", "Table 4.2", "Table 4.3", "Figure 4.1"), absent)
    run = runs.end2end[0]
    return Chapter(title, [
        Section("Table 4.1: hyper-parameters of the end-to-end classifier", [], [
            settings_table("4.1", run.configuration)]),
        *_result_sections(run, thesis.END_TO_END, "end-to-end classifier", "4.1", theirs),
        Section("Figure 4.1: ROC curves of the end-to-end classifier", [
            theirs, "In the thesis normal images are told apart from the others much better than cancer or benign "
                    "ones; it prints no AUROC.", _ranking(run)],
            pictures=[run.picture("roc", f"Ours. {ROC}", ROC_TEXT, wide=True)])])


def merging_chapter(runs: Classifiers | None, theirs: str, absent: str) -> Chapter:
    title = "4.4 Decomposition: context merging"
    if runs is None:
        return _not_done(title, ("(4.2): the merged input",), absent)
    run = runs.decomposition[0]
    return Chapter(title, [Section("(4.2): the merged input", [
        theirs,
        "The second channel is the sum of the masks that the five detectors of one loss give, at the threshold "
        f"{run.configuration.threshold:g}; here those of the loss “{run.configuration.loss}”. The thesis does "
        "not say which loss it took. It has no figure of it."],
        pictures=[run.picture("samples", "Test images with the heat map of the five detectors over them, label and "
                              "answer; drawn at random.", "Mammograms with heat map, label and answer", wide=True,
                              photograph=True)])])


def decomposition_chapter(runs: Classifiers | None, theirs: str, absent: str) -> Chapter:
    title = "4.5 Decomposition: classification"
    if runs is None:
        return _not_done(title, (*(f"Table 4.{n}" for n in (5, 6, 7)), *(f"Figure 4.{n}" for n in (5, 6, 7))), absent)
    run, retrained = runs.decomposition[0], runs.retraining
    courses = loss_courses(runs)
    accuracies = ", ".join(f"{name} {number(each.results.test.accuracy['mean'], 3)}" for name, each in (
        (END2END, runs.end2end[0]), (DECOMPOSITION, run), ("retrained", retrained)))
    before, steps = run.configuration.total_steps, retrained.configuration.total_steps
    return Chapter(title, [
        Section("Table 4.5: hyper-parameters of the decomposition's classifier", [], [
            settings_table("4.5", run.configuration)]),
        *_result_sections(run, thesis.DECOMPOSITION, "decomposition classifier", "4.5", theirs),
        Section("Figure 4.5: ROC curves of the decomposition's classifier", [
            theirs, "In the thesis the curve of the cancer class is not significantly different from guessing, and "
                    "training and test set hardly differ.", _ranking(run)],
            pictures=[run.picture("roc", f"Ours. {ROC}", ROC_TEXT, wide=True)]),
        Section("Figure 4.6: the loss of both classifiers", [
            theirs, "In the thesis the decomposition learns slightly quicker up to step 10000 and then falls no "
                    "further; end-to-end goes on beyond step 20000 and ends lower.", *course_sentences(courses)],
            [loss_table(courses, [END2END, DECOMPOSITION])],
            [run.picture("loss", f"Ours. {LOSS}", LOSS_TEXT)]),
        Section("Figure 4.7: the decomposition's classifier, retrained without its second channel", [
            theirs, "In the thesis the loss jumps at step 50000, where the masks are replaced by zeros, and then falls "
                    f"to the end-to-end level. Here the masks end at step {before}, and {steps} more steps follow"
            f"{_rates(run, retrained)}.",
            *retraining_sentences(courses),
            f"Mean one-vs-all accuracy on the test set: {accuracies}. The thesis says that the retrained network's "
            "metrics, which it does not print, are indistinguishable from end-to-end's."],
            [loss_table(courses, list(courses))], [retrained.picture("loss", f"Ours. {LOSS}", LOSS_TEXT)])])


def comparison_chapter(runs: Classifiers | None, absent: str) -> Chapter:
    title = "Beyond the thesis: which classifier is better?"
    if runs is None:
        return _not_done(title, ("Paired comparison", "Several seeds"), absent)
    found = runs.statistics
    seeds = found.paired.seeds
    covered = ("What a seed varies: initial weights, batches and dropout of both classifiers. Images, split and ROI "
               "detectors are the same for all, so that every training is tested on the same images.")
    spread = ([f"{seeds} seeds. {covered} The spread says nothing of other patients; for them there are the intervals."]
              if seeds > 1 else [f"One seed: no spread. --seeds 3 trains both classifiers three times. {covered}"])
    return Chapter(title, [
        Section("Paired comparison", [
            *paired_sentences(found.paired),
            "The thesis prints no answers for single images: its own difference cannot be tested in this way."],
            [paired_table(found.paired)]),
        Section("Retrained and end-to-end", paired_sentences(found.paired_retraining)[:2], [
            paired_table(found.paired_retraining)]),
        Section("Several seeds", spread, [
            spread_table(f"{name.capitalize()}, test set", of) for name, of in found.spread.items()]
            if seeds > 1 else [])])


def _result_sections(run: FinishedClassifier, printed: Mapping[str, PrintedTable], name: str, settings: str,
                     theirs: str) -> list[Section]:
    sections = []
    for split, table in printed.items():
        result = run.results.splits[split]
        beside = table if result.classes == CLASSES else None
        texts = [theirs, _difference(result.accuracy["mean"], table, beside is not None, run, settings)]
        sections.append(Section(f"Table {table.number}: {name}, {NAMES[split].lower()}", texts, [
            metrics_table(split, result, beside), confusion_table(split, result)]))
    return sections


def _difference(ours: float | None, table: PrintedTable, comparable: bool, run: FinishedClassifier, settings: str
                ) -> str:
    if not comparable:
        return "Two classes instead of three: another task, so the thesis's figures do not stand beside ours."
    rows = differing(settings, run.configuration)
    width = run.configuration.width
    others = (f" Beside the data, this run differs in the rows {', '.join(row.lower() for row in rows)} of Table "
              f"{settings}" if rows else " The hyper-parameters are the thesis's")
    others += "." if width == 1 else f", and its network has {width:g} times as many channels."
    cause = ("With other images and another split, the difference says little about the method."
             if run.record.data.is_ddsm else
             "The difference is one of the data before anything else and says nothing about the method.")
    return (f"Mean accuracy: {number(ours)} here, {number(table.accuracy[3])} in the thesis. {cause}{others}")


def _rates(before: FinishedClassifier, after: FinishedClassifier) -> str:
    """Of a quick run, whose retraining has a rate of its own."""
    first, second = (run.configuration.learning_rate for run in (before, after))
    return "" if first == second else (
        f", at an initial rate of {second:g} instead of {first:g}: at that rate the loss on drawn images had still "
        "been 1.8 after 450 steps and 1.1 after 900. The thesis does not say which rate it used; this one was chosen "
        "with that result known")


def _ranking(run: FinishedClassifier) -> str:
    test = run.results.test
    areas = ((test.auroc[name], name) for name in test.classes)
    known = sorted(((value, name) for value, name in areas if value is not None), reverse=True)
    return "Ours, AUROC on the test set: " + ", ".join(f"{name} {number(value, 3)}" for value, name in known) + "."


def table_notes(theirs_is_ddsm: bool, dataset: str, classes: Sequence[str]) -> list[str]:
    """How to read the tables, once for all of them."""
    printed = {**{table.number: table for table in thesis.END_TO_END.values()},
               **{table.number: table for table in thesis.DECOMPOSITION.values()}}
    return notes(printed if tuple(classes) == CLASSES else {}, theirs_is_ddsm, dataset, tuple(classes))


def _not_done(title: str, shown: Sequence[str], why: str) -> Chapter:
    return Chapter(title, [Section(name, [f"Not done: {why}"]) for name in shown])
