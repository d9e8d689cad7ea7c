"""Tables of what `paired` and `spread` find, and the answer in sentences."""
from collections.abc import Iterable, Sequence

from experiments.evaluation.paired import Comparison, Difference
from experiments.evaluation.spread import OverSeeds, Spread
from experiments.reporting.tables import METRICS, Row, Table, interval, number


def paired_table(comparison: Comparison) -> Table:
    """Each difference with its 95 % interval, below it the two figures and, of several seeds, the smallest and the
    largest difference of a seed."""
    of_seeds = "" if comparison.seeds == 1 else f", mean of {comparison.seeds} seeds"
    rows = [*_difference_rows(METRICS["accuracy"], comparison.accuracy.values(), comparison),
            *_difference_rows(METRICS["auroc"], comparison.auroc.values(), comparison),
            *_last_column(_difference_rows("Plain accuracy", [comparison.plain_accuracy], comparison),
                          len(comparison.accuracy))]
    counted = comparison.unit.counted(comparison.images, comparison.patients).replace(" ", " test ", 1)
    return Table(f"{comparison.first} minus {comparison.second}: {counted}{of_seeds}",
                 _columns(comparison.accuracy), tuple(rows))


def paired_sentences(comparison: Comparison) -> list[str]:
    """The two mean figures in words, and how to read the table."""
    sentences = [
        f"Is {comparison.first} better than {comparison.second}? Difference of the {name}: "
        f"{_signed(of.difference)}{interval(of.ci, ' (95 % interval {} to {})')}; {of.verdict}."
        for name, of in (("mean one-vs-all accuracy", comparison.accuracy["mean"]),
                         ("mean AUROC", comparison.auroc["mean"]))]
    sentences.append(
        "Intervals are by patient, for both classifiers on the same patients (Zou and Donner, 2008). They cover the "
        "choice of test patients, not the training: another seed trains other networks. Of many intervals of 95 % one "
        "in twenty misses by chance: read those of the single classes with that in mind. DeLong’s test (1988; by "
        "patient after Obuchowski, 1997) stands beside them because it is the usual one; its intervals are too narrow "
        "for few cases, and no verdict rests on it.")
    return sentences


def spread_table(title: str, found: Spread) -> Table:
    """Mean and standard deviation over the seeds, below them the smallest and the largest."""
    rows = [row for metric, by_class in found.metrics.items() for row in _spread_rows(
        METRICS[metric], by_class.values())]
    rows += _last_column(_spread_rows("Plain accuracy", [found.plain_accuracy]), len(found.accuracy))
    return Table(f"{title}: {found.seeds} seeds, mean ± standard deviation", _columns(found.accuracy), tuple(rows))


def _difference_rows(name: str, differences: Iterable[Difference], comparison: Comparison) -> list[Row]:
    of = list(differences)
    rows = [Row(f"{name}, difference", tuple(_signed(each.difference) + interval(each.ci, " [{}, {}]") for each in of))]
    if any(each.delong for each in of):
        rows.append(Row("by DeLong’s test", tuple(map(_delong, of)), True))
    if comparison.seeds > 1:
        rows.append(Row("smallest to largest of a seed", tuple(_range(each.by_seed) for each in of), True))
    return [*rows, Row(comparison.first, tuple(number(each.first) for each in of), True),
            Row(comparison.second, tuple(number(each.second) for each in of), True)]


def _spread_rows(name: str, spreads: Iterable[OverSeeds]) -> list[Row]:
    of = list(spreads)
    return [Row(name, tuple(number(each.mean) + ("" if each.sd is None else f" ± {number(each.sd)}") for each in of)),
            Row("smallest to largest", tuple(_range(each.values) for each in of), True)]


def _delong(of: Difference) -> str:
    return "n/a" if of.delong is None else f"p = {number(of.delong.p)}{interval(of.delong.ci, ' [{}, {}]')}"


def _last_column(rows: list[Row], columns: int) -> list[Row]:
    """The rows of a figure that has no classes, below the means over the classes."""
    return [Row(row.label, ("",) * (columns - 1) + row.cells, row.comparison) for row in rows]


def _range(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return "n/a" if len(known) < len(values) else f"{number(min(known))} to {number(max(known))}"


def _columns(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.capitalize() for name in names)


def _signed(value: float | None) -> str:
    return "n/a" if value is None else f"{value:+.4f}"
