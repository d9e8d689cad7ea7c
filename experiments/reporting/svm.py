"""What a report says of a support vector machine beside the network's own last layer."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.svm import SvmResults, SvmSettings
from experiments.reporting.comparison import paired_sentences, paired_table
from experiments.reporting.figures import roc_figure
from experiments.reporting.html import Picture, Section
from experiments.reporting.tables import Table, confusion_table

FILE = "svm_predictions.csv"


@dataclass(frozen=True)
class SvmReport:
    """predictions: of the machine, by split, as those of the network; results: what they are worth."""

    predictions: Mapping[str, ImagePredictions]
    results: SvmResults

    @property
    def section(self) -> Section:
        found = self.results
        return Section("Support vector machine", [*_sentences(found.settings), *paired_sentences(found.comparison)],
                       [paired_table(found.comparison), self._confusion])

    @property
    def picture(self) -> Picture:
        splits = self.results.splits
        return Picture(
            "ROC curves of the support vector machine",
            roc_figure({split: self.predictions[split] for split in splits}, splits),
            "As the figure of the network's own head, on the same images, by the outputs of the support vector "
            "machine; it was fitted to the training images: their curves are no evidence.",
            "ROC curves of the support vector machine with the diagonal of guessing", wide=True)

    @property
    def _confusion(self) -> Table:
        table = confusion_table("test", self.results.test)
        return replace(table, title=f"Support vector machine, {table.title[0].lower()}{table.title[1:]}")


def _sentences(settings: SvmSettings) -> list[str]:
    return [
        "Chapter 2 of the thesis tells of networks whose features a support vector machine classifies (Arevalo et "
        f"al., 2015). This one, with a radial basis function, takes the {settings.features} outputs of the last hidden "
        "dense layer, without dropout, of the network whose figures stand above, standardized; it was fitted to the "
        "training images, neither flipped nor rotated, each class with the same weight in all.",
        f"C = {settings.penalty:g} and gamma = {settings.gamma:.3g} were chosen, and outputs between 0 and 1 made of "
        f"its decisions (Platt, 1999), by cross-validation over {settings.folds} groups of training patients; "
        f"{settings.support_vectors} training images are support vectors. The network had learned from these images "
        "before: that choice may favour a machine that follows them too closely, and its outputs on new images may be "
        "surer than they should be. The test images neither of the two heads has seen.",
        f"Both heads' outputs are written, those of the machine into {FILE}. The machine itself is not kept: whatever "
        "answers for other images, as predict.py does, has the network's own head."]
