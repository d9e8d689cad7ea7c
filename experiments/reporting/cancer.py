"""Cancer against all others, for one set or several side by side: the tables and the figure that reviewers ask for."""
from __future__ import annotations

from collections.abc import Mapping

from experiments.evaluation.cancer import CancerMeasures
from experiments.evaluation.intervals import Interval
from experiments.evaluation.operating_point import OperatingPoint, Realised
from experiments.evaluation.subgroups import FEWEST
from experiments.evaluation.unit import PATIENT
from experiments.reporting.figures.calibration import calibration_figure
from experiments.reporting.html import Picture, Section
from experiments.reporting.tables import NAMES, Row, Table, interval, number

TITLE = "Cancer against the others"
FACT_NAMES = {"source": "source", "view": "view", "density": "breast density", "age": "age", "scanner": "scanner",
              "finding": "finding"}
TOO_FEW, MOST_SMALL = "too few", 6
NO_POINT = ("There is no operating point: it has to be chosen on patients who were held out of training. To have one, "
            "train with --validation 0.15.")


def cancer_section(measured: Mapping[str, CancerMeasures], point: OperatingPoint | None) -> Section:
    """measured: by the name of the set, "test" for the run's own, in the order of the rows; all of the same unit.

    The table of all sets, and one of subgroups for each set that tells something of its images.
    """
    tables = [cancer_table(measured, point),
              *(subgroup_table(name, of, point) for name, of in measured.items() if of.subgroups)]
    grouped = any(of.subgroups for of in measured.values())
    return Section(TITLE, [NO_POINT if point is None else _point(point), *reading(point is not None, grouped)], tables)


def calibration_picture(measured: Mapping[str, CancerMeasures]) -> Picture:
    """A panel for each set, as of `cancer_section`."""
    unit = next(iter(measured.values())).unit
    return Picture(
        "Calibration", calibration_figure(measured),
        f"Of the output for cancer, of {unit.described}: they are put in the order of that output and cut into bins of "
        "like size; each point is a bin, at the mean of its outputs and the share of it that has cancer, with the 95 % "
        "interval by patient. On the dotted diagonal an output of 0.8 means cancer in eight of ten cases; below it the "
        "outputs are too high.",
        "Share with cancer over the network's output for cancer, in bins, with the diagonal of perfect calibration",
        wide=len(measured) > 1)


def cancer_table(measured: Mapping[str, CancerMeasures], point: OperatingPoint | None) -> Table:
    """A row for each set."""
    unit = next(iter(measured.values())).unit
    columns = ("With cancer", "AUROC", "Partial AUROC", *(("Sensitivity", "Specificity") if point else ()),
               "Brier score", "Calibration error")
    rows = []
    for name, of in measured.items():
        found = of.calibration
        rows.append(Row(f"{NAMES.get(name, name)}, {of.unit.counted(of.units, of.patients, how=False)}", (
            str(of.cancers), figure(of.auroc, of.auroc_ci), figure(of.partial_auroc, of.partial_auroc_ci),
            *_at_point(of.realised, point), figure(found.brier, found.brier_ci), figure(found.error))))
        rows.append(Row("without any image", ("", figure(0.5), figure(0.5), *_empty(point), figure(found.no_skill), ""),
                        comparison=True))
        rows.append(Row("perfectly calibrated, by chance", ("", "", "", *_empty(point), "", figure(found.by_chance)),
                        comparison=True))
    return Table(f"Cancer against the others, of {unit.described}", columns, tuple(rows))


def subgroup_table(name: str, of: CancerMeasures, point: OperatingPoint | None) -> Table:
    """The groups of all facts in the set of that name. Of more than six groups of a fact that are too small to be
    measured, the sum stands in one row."""
    whose = "" if of.unit.kind == PATIENT else " (patients)"
    columns = (f"{of.unit.plural.capitalize()}{whose}", f"With cancer{whose}", "AUROC",
               *(("Sensitivity", "Specificity") if point else ()))
    rows = []
    for fact, groups in of.subgroups.items():
        small = [group for group in groups if group.auroc is None]
        apart = groups if len(small) <= MOST_SMALL else [group for group in groups if group.auroc is not None]
        for group in apart:
            rows.append(Row(f"{FACT_NAMES[fact]}: {group.value}", (
                _counted(group.units, group.patients, of), _counted(group.cancers, group.cancer_patients, of),
                *((TOO_FEW, *_empty(point)) if group.auroc is None else
                  (figure(group.auroc, group.auroc_ci), *_at_point(group.realised, point))))))
        if len(small) > MOST_SMALL:
            rows.append(Row(f"{FACT_NAMES[fact]}: {len(small)} others", (
                str(sum(group.units for group in small)), str(sum(group.cancers for group in small)), TOO_FEW,
                *_empty(point))))
    return Table(f"{NAMES.get(name, name)} by subgroup, of {of.unit.described}", columns, tuple(rows))


def reading(with_point: bool, with_groups: bool) -> list[str]:
    """How to read the tables, a sentence or two each."""
    return [
        "Partial AUROC: the area under the ROC curve up to a false positive rate of 0.1, standardized after McClish "
        "(1989), so that guessing gives 0.5 and a perfect order 1. Brier score: the mean squared distance of the "
        "output for cancer from the truth, 1 or 0; below it stands what always answering the share of cancer gives. "
        "Calibration error: the mean distance of the points of the calibration curve from its diagonal, by the size of "
        "the bins; below it stands what a perfectly calibrated network would have on so few. The network learns "
        "from as many images of each class: where cancer is rarer its outputs are too high, which moves Brier score "
        "and calibration error, but not the AUROC.",
        *([f"Groups with fewer than {FEWEST} patients with cancer, or without, are counted but not measured. Of many "
           "groups some lie apart by chance."] if with_groups else []),
        *(["Sensitivity is the share of those with cancer whose output reaches the threshold, specificity the share of "
           "the others whose output does not."] if with_point else [])]


def _point(point: OperatingPoint) -> str:
    found = point.chosen_on
    return (f"Operating point: an output for cancer of {number(point.threshold)} or more is called cancer. It was "
            f"chosen for a sensitivity of {point.wanted:g} on the {found.positives} {point.unit.plural} with cancer "
            f"and {found.negatives} without of {point.patients} validation patients, who were held out of training, "
            f"and reaches a sensitivity of {figure(found.sensitivity, found.sensitivity_ci)} and a specificity of "
            f"{figure(found.specificity, found.specificity_ci)} there. It was not changed afterwards.")


def _counted(units: int, patients: int, of: CancerMeasures) -> str:
    return str(units) if of.unit.kind == PATIENT else f"{units} ({patients})"


def _empty(point: OperatingPoint | None) -> tuple[str, ...]:
    return () if point is None else ("", "")


def _at_point(found: Realised | None, point: OperatingPoint | None) -> tuple[str, ...]:
    if point is None or found is None:
        return ()
    return figure(found.sensitivity, found.sensitivity_ci), figure(found.specificity, found.specificity_ci)


def figure(value: float | None, ci: Interval | None = None) -> str:
    """Three decimals, with the interval in brackets."""
    return number(value, 3) + interval(ci, " [{}, {}]")
