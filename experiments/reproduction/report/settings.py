"""Tables 4.1, 4.4 and 4.5, the hyper-parameters as printed, and this run's beside them."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.evaluation.thesis import IMAGES
from experiments.reporting.tables import Row, Table

TRAINING = {"Batch-size": "50", "Steps per epoch": "5000", "Number of epochs": "10", "Initial learning rate": "5e-05",
            "Learning rate decay": "0.75", "Optimizer": "ADAM", "CLAHE clip-limit": "0.02"}
CLASSIFIER = {"Input dimension": "128 x 128", "Number of input channels": "1", "Number of prediction labels": "3"}
PRINTED = {
    "4.1": CLASSIFIER | TRAINING,
    "4.4": {"Input dimension": "128 x 128", "Annotation-mask dimension": "128 x 128"} | TRAINING | {
        "Steps per epoch": "100", "Number of epochs": "20"},
    "4.5": CLASSIFIER | TRAINING | {"Number of input channels": "2"},
}


def settings_table(number: str, configuration: Mapping[str, Any]) -> Table:
    """The table of that number; a row of which this run differs from the thesis says so."""
    ours = _ours(configuration, channels={"4.1": "1", "4.5": "2"}.get(number))
    rows = tuple(Row(name, (printed, ours[name], "" if ours[name] == printed else "differs"))
                 for name, printed in PRINTED[number].items())
    return Table(f"Table {number}: hyper-parameters", ("Thesis", "This run", ""), rows)


def differing(number: str, configuration: Mapping[str, Any]) -> list[str]:
    """The names of the rows that differ."""
    return [row.label for row in settings_table(number, configuration).rows if row.cells[-1]]


def counts_table(data: Mapping[str, Any]) -> Table:
    """Images of each class, in training and test set: 4.1 of the thesis, and ours."""
    rows = []
    for split, name in (("train", "Training set"), ("test", "Test set")):
        printed = dict(zip(("cancer", "normal", "benign"), IMAGES[split].tolist(), strict=True))
        rows += [Row(f"{name}, this run", tuple(map(str, (*data[split].values(), sum(data[split].values()))))),
                 Row("thesis, section 4.1", tuple(map(str, (
                     *(printed[label] for label in data[split]), sum(printed[label] for label in data[split])))),
                     comparison=True)]
    return Table("Images by class", (*(label.capitalize() for label in data["train"]), "Total"), tuple(rows))


def _ours(configuration: Mapping[str, Any], channels: str | None) -> dict[str, str]:
    size = f"{configuration['side']} x {configuration['side']}"
    steps = configuration["steps_per_epoch"], configuration["epochs"]
    total = "" if configuration["steps"] is None else f" (ended after {configuration['steps']} steps)"
    return {"Input dimension": size, "Annotation-mask dimension": size, "Number of input channels": channels or "1",
            "Number of prediction labels": str(configuration["classes"]), "Batch-size": str(configuration["batch"]),
            "Steps per epoch": str(steps[0]), "Number of epochs": f"{steps[1]}{total}",
            "Initial learning rate": f"{configuration['learning_rate']:g}",
            "Learning rate decay": "cosine" if configuration["schedule"] == "cosine" else f"{configuration['decay']:g}",
            "Optimizer": "ADAM",
            "CLAHE clip-limit": f"{configuration['clip_limit']:g}"}
