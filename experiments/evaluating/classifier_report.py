"""The report of a classifier on another set."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from experiments.evaluating.classifier import OTHER, OWN
from experiments.evaluating.comparison import absent_note, compared, in_words, unpaired_note
from experiments.evaluating.folder import settings_of, write_evaluation
from experiments.evaluating.other import OtherSet
from experiments.evaluating.record import EvaluationRecord, TransferredClassifier
from experiments.evaluating.run import EvaluatedRun
from experiments.evaluation.predictions import ImagePredictions, write_predictions
from experiments.inputs.image_set import ImageSet
from experiments.reporting.cancer import cancer_section
from experiments.reporting.figures import Samples, choose_samples, roc_figure, samples_figure
from experiments.reporting.html import Picture
from experiments.reporting.tables import METRICS, Row, Table, confusion_table, metrics_table, notes, number
from experiments.reporting.wording import SMALL, against
from experiments.runs.folder import RunFolder
from experiments.runs.provenance import Provenance

SAMPLES = 12  # images in the figure of samples
NAMES = {**METRICS, "plain_accuracy": "Plain accuracy", "partial_auroc": "Partial AUROC",
         "sensitivity": "Sensitivity at the operating point", "specificity": "Specificity at the operating point"}
TITLE = "A classifier of mammograms on another data set"


def report(folder: RunFolder, record: EvaluationRecord, run: EvaluatedRun, found: TransferredClassifier,
           given: Mapping[str, ImagePredictions], images: ImagePredictions, other: OtherSet, seen: ImageSet,
           origin: Provenance) -> None:
    """Everything in the evaluation's folder.

    given: "own" and "other", of the unit; images: the outputs for the other set's images; seen: these images with all
    channels that the network was given; origin: of the network.
    """
    name = f"Other set, {record.data.name}"
    write_predictions(folder.path / "predictions.csv", {"other": images})
    by_name = {"test": found.own, name: found.other}
    tables = [difference_table(found), metrics_table(name, found.other, None), confusion_table(name, found.other),
              metrics_table("test", found.own, None), confusion_table("test", found.own)]
    learned, *warnings, _ = origin.sentences
    texts = [learned, *record.data.notes, *absent_note(record.data), unpaired_note(found.other.unit.described),
             "Accuracies depend on the shares of the classes, which differ from set to set; AUROCs do not.",
             *notes({}, record.data.is_ddsm, record.data.name, found.other.classes)]
    cancer = {"test": found.cancer[OWN], name: found.cancer[OTHER]}
    points = {each: of.realised for each, of in cancer.items() if of.realised is not None}
    pictures = {
        "roc": Picture(
            "ROC curves", roc_figure({"test": given[OWN], name: given[OTHER]}, by_name, points),
            f"Each class against the others, of {found.other.unit.described}: on the run's own test set and on the "
            "other set. In brackets: 95 % intervals by patient. The dotted diagonal is guessing; the partial AUROC "
            "ends at the dashed line.", "ROC curves on both sets with the diagonal of guessing", wide=True),
        "samples": Picture(
            "What the network sees", samples_figure(_samples(other, seen, images, record)),
            "Images of the other set after preprocessing, drawn at random from all its classes, with label, answer and "
            "the network's output for that answer. Solid frame and tick: right. Dashed frame and cross: wrong.",
            "A grid of preprocessed mammograms with label and answer", wide=True, photograph=True)}
    write_evaluation(folder, record, TITLE, settings_of(record, run.record.configuration), found,
                     [*warnings, *sentences(found)], tables, texts, pictures,
                     [cancer_section(cancer, found.operating_point)])


def difference_table(found: TransferredClassifier) -> Table:
    """Every figure that has an interval, on both sets, and its difference; of cancer what only it has."""
    rows: list[Row] = []
    for metric, by_class in found.differences.items():
        of = {f"{NAMES[metric]}, {name}" if len(by_class) > 1 or name == "cancer" else NAMES[metric]: each
              for name, each in by_class.items()}
        rows += compared("", of).rows
    own, other = found.own, found.other
    return Table(f"Own test set ({own.unit.counted(own.images, own.patients, how=False)}) and other set "
                 f"({other.unit.counted(other.images, other.patients)})", compared("", {}).columns, tuple(rows))


def sentences(found: TransferredClassifier) -> list[str]:
    """The result in words, no surer than the figures are."""
    other, by_class = found.other, found.differences["auroc"]
    told = [in_words("mean AUROC", by_class["mean"])]
    if by_class["mean"].difference.value is None:
        told.append(in_words("AUROC of cancer", by_class["cancer"]))
        told += against("AUROC of cancer", other.auroc["cancer"], other.auroc_ci["cancer"], 0.5)
    else:
        told += against("mean AUROC", other.auroc["mean"], other.auroc_ci["mean"], 0.5)
    told += [in_words("mean one-vs-all accuracy", found.differences["accuracy"]["mean"]), *_without_looking(found)]
    for measure in ("sensitivity", "specificity"):
        if measure in found.differences:
            told.append(in_words(f"{measure} at the operating point", found.differences[measure]["cancer"]))
    if other.images < SMALL:
        told.append(f"The other set is small here: {other.unit.counted(other.images, other.patients)}.")
    return told


def _without_looking(found: TransferredClassifier) -> list[str]:
    """What the accuracies are worth: always giving one answer reaches as much where most images are of one class."""
    own, other = found.own, found.other
    there = [name for name in other.classes if other.counts[name].images]
    if len(there) == 1:
        return [f"But all {other.unit.plural} of the other set are {there[0]}: always answering “{there[0]}” gives an "
                "accuracy of 1 there, and whether the network tells the classes apart cannot be seen on it."]
    always = [f"{number(each.majority.accuracy['mean'], 3)} on the {which} (“{each.majority.answer}”)"
              for which, each in (("other set", other), ("own test set", own))]
    return [f"Always giving the most frequent answer has an accuracy of {' and '.join(always)}."]


def _samples(other: OtherSet, seen: ImageSet, images: ImagePredictions, record: EvaluationRecord) -> Samples:
    drawn = choose_samples(images.labels, SAMPLES, 0)
    pictures = seen.images(other.kept[drawn])
    heat_maps = pictures[..., 1] if pictures[..., 1:].any() else None
    return Samples(pictures[..., 0], images.labels[drawn], np.asarray(images.probabilities)[drawn],
                   tuple(record.data.test), heat_maps)


def headline(found: TransferredClassifier) -> str:
    """For the terminal."""
    return in_words("AUROC of cancer", found.differences["auroc"]["cancer"])
