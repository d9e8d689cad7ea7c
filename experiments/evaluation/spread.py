"""The same experiment with several seeds: mean and spread of every figure.

The spread covers what the seed decides: initial weights, batches and dropout, and where the seed also splits the data
or draws them, which patients are tested. It says nothing of other patients beyond those: for them there are the
intervals of each run, and `paired`.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.evaluation.classification import Evaluation
from experiments.evaluation.per_class import require_same_classes


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """values, one a seed; mean; sd, the standard deviation with n - 1 below the line, None for a single seed; min; max.

    All but the values are None where the figure is undefined for any seed: a mean of the other seeds would be one of
    easier splits.
    """
    values: tuple[float | None, ...]
    mean: float | None
    sd: float | None
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """seeds, their number; the metrics of an `Evaluation`, by class and mean; plain_accuracy, which has no classes."""
    seeds: int
    accuracy: dict[str, OverSeeds]
    specificity: dict[str, OverSeeds]
    precision: dict[str, OverSeeds]
    recall: dict[str, OverSeeds]
    auroc: dict[str, OverSeeds]
    plain_accuracy: OverSeeds

    def __post_init__(self) -> None:
        require_same_classes(self.metrics)

    @property
    def metrics(self) -> dict[str, dict[str, OverSeeds]]:
        """Those with classes by their names, in the order of the tables."""
        return {"accuracy": self.accuracy, "specificity": self.specificity, "precision": self.precision,
                "recall": self.recall, "auroc": self.auroc}


def spread(evaluations: Sequence[Evaluation]) -> Spread:
    """Of the evaluations of one split, one a seed."""
    by_class = {metric: {name: _over_seeds([each.metrics[metric][name] for each in evaluations]) for name in figures}
                for metric, figures in evaluations[0].metrics.items()}
    return Spread(seeds=len(evaluations), **by_class,
                  plain_accuracy=_over_seeds([each.plain_accuracy for each in evaluations]))


def _over_seeds(values: Sequence[float | None]) -> OverSeeds:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return OverSeeds(tuple(values), None, None, None, None)
    return OverSeeds(tuple(known), mean=float(np.mean(known)), min=min(known), max=max(known),
                     sd=float(np.std(known, ddof=1)) if len(known) > 1 else None)
