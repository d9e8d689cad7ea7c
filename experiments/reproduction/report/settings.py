"""Tables 4.1, 4.4 and 4.5, the hyper-parameters as printed, and this run's beside them."""
from __future__ import annotations

from experiments.configuration.classifier import ClassifierConfiguration
from experiments.configuration.training import TrainingConfiguration
from experiments.datasets.mammogram import CLASSES
from experiments.evaluation.thesis import IMAGES
from experiments.inputs.loading import DataRecord
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


def settings_table(number: str, configuration: TrainingConfiguration) -> Table:
    """The table of that number; a row of which this run differs from the thesis says so."""
    ours = _ours(configuration)
    rows = tuple(Row(name, (printed, ours[name], "" if ours[name] == printed else "differs"))
                 for name, printed in PRINTED[number].items())
    return Table(f"Table {number}: hyper-parameters", ("Thesis", "This run", ""), rows)


def differing(number: str, configuration: TrainingConfiguration) -> list[str]:
    """The names of the rows that differ."""
    return [row.label for row in settings_table(number, configuration).rows if row.cells[-1]]


def counts_table(data: DataRecord) -> Table:
    """Images of each class, in training and test set: 4.1 of the thesis, and ours."""
    rows = []
    for split, name, ours in (("train", "Training set", data.train), ("test", "Test set", data.test)):
        printed = dict(zip(CLASSES, IMAGES[split].tolist(), strict=True))
        theirs = [printed[label] for label in ours]
        rows += [Row(f"{name}, this run", tuple(map(str, (*ours.values(), sum(ours.values()))))),
                 Row("thesis, section 4.1", tuple(map(str, (*theirs, sum(theirs)))), comparison=True)]
    if data.validation:
        held = data.validation.values()
        rows.append(Row("Held out of training, this run", tuple(map(str, (*held, sum(held))))))
    return Table("Images by class", (*(label.capitalize() for label in data.train), "Total"), tuple(rows))


def _ours(of: TrainingConfiguration) -> dict[str, str]:
    size = f"{of.side} x {of.side}"
    total = "" if of.steps is None else f" (ended after {of.steps} steps)"
    classifier = {"Number of input channels": str(of.channels)} if isinstance(of, ClassifierConfiguration) else {}
    return {"Input dimension": size, "Annotation-mask dimension": size, **classifier,
            "Number of prediction labels": str(of.classes), "Batch-size": str(of.batch),
            "Steps per epoch": str(of.steps_per_epoch), "Number of epochs": f"{of.epochs}{total}",
            "Initial learning rate": f"{of.learning_rate:g}",
            "Learning rate decay": "cosine" if of.schedule == "cosine" else f"{of.decay:g}", "Optimizer": "ADAM",
            "CLAHE clip-limit": f"{of.clip_limit:g}"}
