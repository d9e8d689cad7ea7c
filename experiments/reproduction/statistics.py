"""End-to-end against decomposition over the trainings of one or several seeds: the paired comparison and the spread."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.evaluation.paired import compare
from experiments.evaluation.predictions import read_predictions
from experiments.evaluation.spread import spread
from experiments.system.files import read_json

NAMES = ("end-to-end", "decomposition")


def seed_statistics(end2end: Sequence[Path], decomposition: Sequence[Path], retraining: Path) -> dict[str, Any]:
    """From the folders of finished runs, the k-th of both with the same training seed, on the same images and split.

    paired             `paired.compare` on the test images
    paired_retraining  the same of the first end-to-end run and the retraining
    spread     {"end-to-end", "decomposition"} -> `spread.spread` of the test set's figures

    Raises Failure where the runs were not measured on the same images.
    """
    first = read_predictions(end2end[0] / "predictions.csv")["test"]
    retrained = read_predictions(retraining / "predictions.csv")["test"]
    runs = dict(zip(NAMES, (end2end, decomposition), strict=True))
    predictions = {name: [read_predictions(path / "predictions.csv")["test"] for path in paths]
                   for name, paths in runs.items()}
    results = {name: [read_json(path / "results.json")["test"] for path in paths] for name, paths in runs.items()}
    return {"paired": compare(predictions[NAMES[0]], predictions[NAMES[1]], NAMES),
            "paired_retraining": compare([first], [retrained], (NAMES[0], "retrained")),
            "spread": {name: spread(found) for name, found in results.items()}}
