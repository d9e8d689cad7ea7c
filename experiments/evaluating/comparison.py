"""The run's own test set and the other set side by side: the table, and what it says in words."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.evaluation.unpaired import Figure, UnpairedDifference
from experiments.inputs.loading import DataRecord
from experiments.reporting.tables import Row, Table, interval, number

COLUMNS = ("Own test set", "Other set", "Difference")


def compared(title: str, rows: Mapping[str, UnpairedDifference], decimals: int = 3) -> Table:
    """rows: name of the figure -> what it is on both sets."""
    return Table(title, COLUMNS, tuple(
        Row(name, (cell(each.own, decimals), cell(each.other, decimals), signed(each.difference, decimals)))
        for name, each in rows.items()))


def cell(figure: Figure, decimals: int) -> str:
    return number(figure.value, decimals) + interval(figure.ci, " [{}, {}]")


def signed(figure: Figure, decimals: int) -> str:
    return "n/a" if figure.value is None else f"{figure.value:+.{decimals}f}" + interval(figure.ci, " [{}, {}]")


def in_words(name: str, found: UnpairedDifference) -> str:
    """One figure on both sets, its difference, and what the interval of that allows to say."""
    difference, (own, other) = found.difference, (each.value for each in (found.own, found.other))
    if own is None or other is None or difference.value is None:
        where = "both sets" if own is None and other is None else "the own test set" if own is None else "the other set"
        return f"The {name} is undefined on {where}, since a class is absent there."
    told = (f"The {name} is {number(other, 3)}{interval(found.other.ci, ' (95 % interval {} to {})')} on the other set "
            f"and {number(own, 3)}{interval(found.own.ci, ' ({} to {})')} on the own test set; the difference is "
            f"{difference.value:+.3f}")
    if difference.ci is None:
        return f"{told}, of which no interval could be determined."
    low, high = difference.ci
    verdict = ("which contains 0: it cannot be told apart from chance" if low <= 0 <= high else
               "all of it below 0: on the other set it is lower" if high < 0 else
               "all of it above 0: on the other set it is higher")
    return f"{told}{interval(difference.ci, ', its interval {} to {}')}, {verdict}."


def sets_table(own: DataRecord, other: DataRecord, classes: Sequence[str]) -> Table:
    """Images by class and patients, of what was trained on and tested on."""
    def row(label: str, images: Mapping[str, int], patients: int) -> Row:
        return Row(label, (*(str(images.get(name, 0)) for name in classes), str(sum(images.values())), str(patients)))

    return Table("Images by class, and patients", (*(name.capitalize() for name in classes), "Images", "Patients"), (
        row(f"trained on: {own.name}", own.train, own.train_patients),
        row(f"own test set: {own.name}", own.test, own.test_patients),
        row(f"other set: {other.name}", other.test, other.test_patients)))


def absent_note(other: DataRecord) -> list[str]:
    """Which classes the other set lacks, and what follows from it."""
    absent = [name for name, images in other.test.items() if not images]
    if not absent:
        return []
    there = [name for name in other.test if name not in absent]
    return [f"{other.name} has no {' and no '.join(absent)} images here: what needs them is undefined (n/a), and so "
            f"are the means over the classes. The figures of {' and '.join(there)} are of fewer classes than on the "
            "own test set, an easier or a harder task: compare them with care."]


def unpaired_note(unit: str) -> str:
    return (f"All figures are of {unit}. The two sets share no patient, as far as is known, so each has its own "
            "interval, and the difference, other set minus own test set, one that adds both (Zou and Donner, 2008). It "
            "covers other patients of the same two kinds, not other trainings. A difference has many causes: scanners, "
            "how patients were chosen, what the classes mean, which share each has; the table does not tell them "
            "apart.")
