"""The same experiment with several seeds: mean and spread of every figure.

The spread covers what the seed decides: initial weights, batches and dropout, and where the seed also splits the data
or draws them, which patients are tested. It says nothing of other patients beyond those: for them there are the
intervals of each run, and `paired`.
"""
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

METRICS = ("accuracy", "specificity", "precision", "recall", "auroc", "plain_accuracy")


def spread(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """From one split's `evaluate` of every seed: "seeds", their number, and METRICS.

    A figure, for each class and mean (plain_accuracy has no classes): values, one a seed; mean; sd, the standard
    deviation with n - 1 below the line, None for a single seed; min; max. All but the values are None where the figure
    is undefined for any seed: a mean of the other seeds would be one of easier splits.
    """
    found: dict[str, Any] = {"seeds": len(results)}
    for metric in METRICS:
        if isinstance(results[0][metric], Mapping):
            found[metric] = {name: _figure([result[metric][name] for result in results]) for name in results[0][metric]}
        else:
            found[metric] = _figure([result[metric] for result in results])
    return found


def _figure(values: list[float | None]) -> dict[str, Any]:
    figures = [value for value in values if value is not None]
    if len(figures) < len(values):
        return {"values": values, "mean": None, "sd": None, "min": None, "max": None}
    return {"values": figures, "mean": float(np.mean(figures)), "min": min(figures), "max": max(figures),
            "sd": float(np.std(figures, ddof=1)) if len(figures) > 1 else None}
