"""Tables of what `paired` and `spread` find, and the answer in sentences."""
from collections.abc import Mapping
from typing import Any

from experiments.reporting.tables import METRICS, Row, Table, interval, number

HEADLINES = {"accuracy": "mean one-vs-all accuracy", "auroc": "mean AUROC"}


def paired_table(comparison: Mapping[str, Any]) -> Table:
    """`compare`'s result: each difference with its 95 % interval, below it the two figures and, of several seeds, the
    smallest and the largest difference of a seed."""
    first, second, seeds = comparison["first"], comparison["second"], comparison["seeds"]
    of_seeds = "" if seeds == 1 else f", mean of {seeds} seeds"
    rows: list[Row] = []
    for metric in ("accuracy", "auroc"):
        rows += _difference_rows(METRICS[metric], list(comparison[metric].values()), comparison)
    plain = comparison["plain_accuracy"]
    before = len(comparison["accuracy"]) - 1
    rows += [Row(row.label, ("",) * before + row.cells, row.comparison)
             for row in _difference_rows("Plain accuracy", [plain], comparison)]
    return Table(f"{first} minus {second}: {comparison['images']} test images of {comparison['patients']} patients"
                 f"{of_seeds}", _columns(comparison["accuracy"]), tuple(rows))


def paired_sentences(comparison: Mapping[str, Any]) -> list[str]:
    """The two mean figures in words, and how to read the table."""
    sentences = [
        f"Is {comparison['first']} better than {comparison['second']}? Difference of the {name}: "
        f"{_signed(figure['difference'])}{interval(figure['ci'], ' (95 % interval {} to {})')}; {figure['verdict']}."
        for name, figure in ((name, comparison[metric]["mean"]) for metric, name in HEADLINES.items())]
    sentences.append(
        "Intervals are by patient, for both classifiers on the same patients (Zou and Donner, 2008). They cover the "
        "choice of test patients, not the training: another seed trains other networks. Of many intervals of 95 % one "
        "in twenty misses by chance: read those of the single classes with that in mind.")
    return sentences


def spread_table(title: str, found: Mapping[str, Any]) -> Table:
    """`spread`'s result: mean and standard deviation over the seeds, below them the smallest and the largest."""
    rows: list[Row] = []
    for metric, name in METRICS.items():
        rows += _spread_rows(name, list(found[metric].values()))
    before = len(found["accuracy"]) - 1
    rows += [Row(row.label, ("",) * before + row.cells, row.comparison)
             for row in _spread_rows("Plain accuracy", [found["plain_accuracy"]])]
    return Table(f"{title}: {found['seeds']} seeds, mean ± standard deviation", _columns(found["accuracy"]),
                 tuple(rows))


def _difference_rows(name: str, figures: list[Mapping[str, Any]], comparison: Mapping[str, Any]) -> list[Row]:
    rows = [Row(f"{name}, difference",
                tuple(_signed(f["difference"]) + interval(f["ci"], " [{}, {}]") for f in figures))]
    if comparison["seeds"] > 1:
        rows.append(Row("smallest to largest of a seed", tuple(_range(f["by_seed"]) for f in figures), True))
    rows += [Row(comparison[which], tuple(number(f[which]) for f in figures), True) for which in ("first", "second")]
    return rows


def _spread_rows(name: str, figures: list[Mapping[str, Any]]) -> list[Row]:
    return [Row(name, tuple(number(f["mean"]) + ("" if f["sd"] is None else f" ± {number(f['sd'])}") for f in figures)),
            Row("smallest to largest", tuple(_range(f["values"]) for f in figures), True)]


def _range(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return "n/a" if len(known) < len(values) else f"{number(min(known))} to {number(max(known))}"


def _columns(by_class: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name.capitalize() for name in by_class)


def _signed(value: float | None) -> str:
    return "n/a" if value is None else f"{value:+.4f}"
