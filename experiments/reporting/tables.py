"""Tables in the form of 4.2 and 4.3, our figures next to the thesis's and the guesser's; and tables.md."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.datasets.mammogram import CLASSES
from experiments.evaluation import Evaluation
from experiments.evaluation.intervals import Interval
from experiments.evaluation.per_class import ByClass
from experiments.evaluation.thesis import PrintedTable
from experiments.evaluation.unit import IMAGES
from experiments.system.text import markdown

NAMES = {"test": "Test set", "train": "Training set"}
METRICS = {"accuracy": "Accuracy", "specificity": "Specificity", "precision": "Precision", "recall": "Recall",
           "auroc": "AUROC"}


@dataclass(frozen=True)
class Row:
    """A label and its cells; a comparison stands, in lighter print, below the row that it is to be compared with."""

    label: str
    cells: tuple[str, ...]
    comparison: bool = False


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def metrics_table(split: str, result: Evaluation, printed: PrintedTable | None) -> Table:
    """Accuracy, specificity, precision, recall and AUROC of one split, or of another set by its name, per class and
    mean."""
    title = f"{NAMES.get(split, split)}: {result.unit.counted(result.images, result.patients)}"
    rows: list[Row] = []
    for key, figures in result.metrics.items():
        intervals = result.intervals.get(key, {})
        rows.append(Row(METRICS[key], tuple(number(value) + interval(intervals.get(column), " [{}, {}]")
                                            for column, value in figures.items())))
        rows.extend(_thesis_rows(key, printed))
        rows.append(_comparison("uniform guesser", result.guesser[key]))
        if key == "accuracy":
            rows.append(_comparison(f"always “{result.majority.answer}”", result.majority.accuracy))
    return Table(title, tuple(name.capitalize() for name in result.accuracy), tuple(rows))


def confusion_table(split: str, result: Evaluation) -> Table:
    """Units by true class (rows) and predicted class (columns)."""
    classes = result.classes
    right = sum(result.counts[name].tp for name in classes)
    share = number(result.plain_accuracy) + interval(result.plain_accuracy_ci, " [{}, {}]")
    unit = "" if result.unit == IMAGES else f" of {result.unit.described}"
    return Table(f"{NAMES.get(split, split)}: answers{unit} by true class ({right} of {result.images} right, {share})",
                 tuple(f"Answered {name}" for name in classes),
                 tuple(Row(f"True {name}", tuple(str(count) for count in counts))
                       for name, counts in zip(classes, result.confusion, strict=True)))


def notes(printed: Mapping[str, PrintedTable], is_ddsm: bool, dataset: str, classes: tuple[str, ...] = CLASSES
          ) -> list[str]:
    """What a reader of the tables has to know, a sentence or two each.

    The thesis's figures are of its three classes: with other classes they must not be in `printed`.
    """
    numbers = " and ".join(table.number for table in printed.values())
    against, footnote = "Every class stands against the two others.", (
        " (footnote 5 of the thesis; the three figures printed there do not follow from its formula)")
    if classes != CLASSES:
        against, footnote = (
            f"{' and '.join(classes).capitalize()} stand against each other, so that both have the same accuracy, and "
            "the recall of one is the specificity of the other; their AUROCs differ, since each class has an output of "
            "its own. The thesis's tables are of another task, with normal images as a third class; they do not stand "
            "here."), ""
    texts = [
        f"{against} In brackets: 95 % intervals. They count patients, not images, since images of one woman resemble "
        "one another, and are made to hold for few cases, too: the accuracy's after Korn and Graubard (1998), the "
        "AUROC's after Newcombe (2006) and Obuchowski (1997). Where there is no bracket the interval is undefined: "
        "fewer than two patients with images of a class, or without.",
        "n/a: the figure is undefined, a ratio 0/0; so is, then, the mean over the classes.",
        f"Uniform guesser: the expected figures of answering {', '.join(classes[:-1])} and {classes[-1]} with "
        f"probability 1/{len(classes)} each{footnote}.",
    ]
    if printed:
        texts.append(
            f"Specificity is TN/(TN+FP), the thesis's (3.44). The rows called “Specificy” in its Tables {numbers} "
            "hold TN/(TN+TP) instead; the rows “corrected” were computed by (3.44) from the counts that its accuracy, "
            "recall and numbers of images determine. The thesis shows AUROC only as curves.")
        if not is_ddsm:
            texts.append(
                f"Our data ({dataset}) are not the thesis's (DDSM): other images, other patients, other numbers. The "
                "thesis's figures stand here for orientation; a difference says nothing about the method.")
    return texts


def tables_markdown(results: Mapping[str, Evaluation], printed: Mapping[str, PrintedTable], texts: Sequence[str]
                    ) -> str:
    """tables.md: the metrics and the confusion matrix of the splits in `results`, and the notes, `texts`."""
    parts = ["# Results"]
    for split, result in results.items():
        parts += [table_markdown(metrics_table(split, result, printed.get(split))),
                  table_markdown(confusion_table(split, result))]
    parts.append(list_markdown(texts))
    return "\n\n".join(parts) + "\n"


def number(value: float | None, digits: int = 4) -> str:
    """The figure with that many decimals, or n/a."""
    return "n/a" if value is None else f"{value:.{digits}f}"


def interval(ends: Interval | None, form: str) -> str:
    """`form` with the two ends filled in, three decimals each; nothing where there is no interval."""
    return "" if ends is None else form.format(number(ends[0], 3), number(ends[1], 3))


def _thesis_rows(key: str, printed: PrintedTable | None) -> list[Row]:
    figures = None if printed is None else printed.row(key)
    if printed is None or figures is None:
        return []
    if key != "specificity":
        return [_comparison(f"thesis, Table {printed.number}", figures)]
    return [_comparison(f"thesis, Table {printed.number}, corrected", figures),
            Row("as printed, TN/(TN+TP)", tuple(map(number, printed.printed_specificity)), comparison=True)]


def _comparison(label: str, figures: ByClass) -> Row:
    return Row(label, tuple(number(value) for value in figures.values()), comparison=True)


def table_markdown(table: Table) -> str:
    """Title and table; comparisons in plain print, the rest bold. Whatever the cells hold is shown, not obeyed."""
    lines = [f"## {markdown(table.title)}", "", "| | " + " | ".join(map(markdown, table.columns)) + " |",
             "|:--|" + "--:|" * len(table.columns)]
    for row in table.rows:
        label, *cells = map(markdown, (row.label, *row.cells))
        shown = [f"– {label}", *cells] if row.comparison else [cell and f"**{cell}**" for cell in (label, *cells)]
        lines.append("| " + " | ".join(shown) + " |")
    return "\n".join(lines)


def list_markdown(texts: Sequence[str]) -> str:
    """A list of the sentences."""
    return "\n".join(f"- {markdown(text)}" for text in texts)
