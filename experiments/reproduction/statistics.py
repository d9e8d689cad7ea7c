"""End-to-end against decomposition over the trainings of one or several seeds: the paired comparison and the spread."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.evaluation.paired import Comparison, compare
from experiments.evaluation.predictions import read_predictions
from experiments.evaluation.results import NAME, ClassifierResults
from experiments.evaluation.spread import Spread, spread
from experiments.system.records import read_record

NAMES = ("end-to-end", "decomposition")


@dataclass(frozen=True, slots=True)
class SeedStatistics:
    """statistics.json, of the test set.

    paired             end-to-end and decomposition
    paired_retraining  the first end-to-end run and the retraining
    spread             of the classifiers by NAMES
    """
    paired: Comparison
    paired_retraining: Comparison
    spread: dict[str, Spread]


def seed_statistics(end2end: Sequence[Path], decomposition: Sequence[Path], retraining: Path) -> SeedStatistics:
    """From the folders of finished runs, the k-th of both with the same training seed, on the same images and split.

    Raises Failure where the runs were not measured on the same images, and where a file of theirs is absent or damaged.
    """
    first = read_predictions(end2end[0] / "predictions.csv")["test"]
    retrained = read_predictions(retraining / "predictions.csv")["test"]
    runs = dict(zip(NAMES, (end2end, decomposition), strict=True))
    predictions = {name: [read_predictions(path / "predictions.csv")["test"] for path in paths]
                   for name, paths in runs.items()}
    evaluations = {name: [read_record(ClassifierResults, path / NAME).test for path in paths]
                   for name, paths in runs.items()}
    return SeedStatistics(compare(predictions[NAMES[0]], predictions[NAMES[1]], NAMES),
                          compare([first], [retrained], (NAMES[0], "retrained")),
                          {name: spread(found) for name, found in evaluations.items()})
