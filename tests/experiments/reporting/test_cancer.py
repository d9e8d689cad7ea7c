"""Cancer against the others: what the tables and sentences say, with and without an operating point."""
import numpy as np
import pytest

from experiments.evaluation.aggregation import by_unit
from experiments.evaluation.cancer import cancer_measures
from experiments.evaluation.operating_point import operating_point
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import IMAGES, Unit
from experiments.reporting.cancer import (
    MOST_SMALL,
    TOO_FEW,
    calibration_picture,
    cancer_section,
    cancer_table,
    subgroup_table,
)
from experiments.reporting.figures.calibration import calibration_panels

BREASTS = Unit("breast", "maximum")


def drawn(seed, n=160):
    generator = np.random.default_rng(seed)
    labels = np.repeat(generator.integers(3, size=n // 2), 2)
    outputs = (generator.random((n, 3)) + 0.6 * np.eye(3)[labels]) / 1.6
    places = np.arange(n)
    facts = {"breast": np.array(["left", "right"])[places // 2 % 2], "density": np.array(list("ab"))[places // 4 % 2],
             "finding": np.where(places % 4 < 2, np.char.add("kind ", (places // 16).astype(str)), "")}
    return ImagePredictions(places.astype(str), (places // 4).astype(str), labels, outputs.astype(np.float32),
                            facts=facts)


def measured(unit=IMAGES, with_point=True):
    validation, test, other = (by_unit(drawn(seed), unit) for seed in range(3))
    point = operating_point(validation) if with_point else None
    return {"test": cancer_measures(test, point), "Another set": cancer_measures(other, point)}, point


@pytest.mark.parametrize("unit", [IMAGES, BREASTS, Unit("patient", "mean")])
@pytest.mark.parametrize("with_point", [True, False])
def test_rows_have_a_cell_for_each_column_and_every_caption_names_the_unit(unit, with_point):
    found, point = measured(unit, with_point)
    section = cancer_section(found, point)
    for table in section.tables:
        assert {len(row.cells) for row in table.rows} == {len(table.columns)}
        assert f"of {unit.described}" in table.title
        assert ("Sensitivity" in table.columns) == with_point
    assert f"of {unit.described}" in calibration_picture(found).caption
    titles = [axes.get_title() for axes in calibration_panels(found).axes]
    assert titles[0].startswith(f"Test set ({found['test'].units} {unit.plural})") and titles[1].startswith("Another")


def test_the_figures_stand_in_the_rows_of_their_sets():
    found, point = measured(BREASTS)
    first, _, _, second, *_ = cancer_table(found, point).rows
    test = found["test"]
    assert first.label == f"Test set, {test.units} breasts of {test.patients} patients"
    assert second.label.startswith("Another set, 80 breasts")
    assert first.cells[0] == str(test.cancers)
    assert first.cells[2] == "{:.3f} [{:.3f}, {:.3f}]".format(test.partial_auroc, *test.partial_auroc_ci)
    assert first.cells[3] == "{:.3f} [{:.3f}, {:.3f}]".format(test.realised.sensitivity, *test.realised.sensitivity_ci)
    assert first.cells[6] == f"{test.calibration.error:.3f}"


def test_the_operating_point_is_said_with_what_it_was_chosen_on():
    found, point = measured()
    said = cancer_section(found, point).sentences[0]
    for words in (f"an output for cancer of {point.threshold:.4f} or more", "for a sensitivity of 0.9",
                  f"on the {point.chosen_on.positives} images with cancer", f"of {point.patients} validation patients"):
        assert words in said
    assert "--validation" in cancer_section(*measured(with_point=False)).sentences[0]


def test_small_groups_are_counted_and_many_of_them_together():
    found, point = measured()
    rows = {row.label: row.cells for row in subgroup_table("test", found["test"], point).rows}
    assert rows["breast density: a"][2].startswith("0.")
    groups = found["test"].subgroups["finding"]
    small = [each for each in groups if each.auroc is None]
    assert len(small) > MOST_SMALL
    assert rows[f"finding: {len(small)} others"] == (
        str(sum(each.units for each in small)), str(sum(each.cancers for each in small)), TOO_FEW, "", "")
    assert sum(label.startswith("finding") for label in rows) == 1 + len(groups) - len(small)


def test_the_points_of_the_curve_are_the_bins_with_their_intervals():
    found, _ = measured()
    axes = calibration_panels(found).axes[0]
    bins = found["test"].calibration.bins
    diagonal, *bars, curve = axes.lines
    assert len(bars) == len(bins) and diagonal.get_linestyle() == ":"
    np.testing.assert_allclose(curve.get_xydata(), [[each.expected, each.observed] for each in bins])
    for bar, each in zip(bars, bins, strict=True):
        np.testing.assert_allclose(bar.get_ydata(), each.ci)
