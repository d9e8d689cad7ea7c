"""Subgroups: which there are, who is in them, and that few are counted and not measured."""
import numpy as np
import pytest

from experiments.evaluation.cancer import cancer_measures
from experiments.evaluation.intervals import area, partial_area
from experiments.evaluation.operating_point import operating_point, realised
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.subgroups import FEWEST, subgroups


def drawn(facts, n=120, seed=0):
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    outputs = (generator.random((n, 3)) + 0.5 * np.eye(3)[labels]) / 1.5
    return ImagePredictions(np.arange(n).astype(str), (np.arange(n) // 2).astype(str), labels,
                            outputs.astype(np.float32), facts=facts)


def every(values, n=120):
    return np.array(values)[np.arange(n) // 2 % len(values)]


def test_a_group_is_measured_as_if_it_were_alone():
    given = drawn({"view": every(["CC", "MLO", "CC"]), "source": every(["A"])})
    point = operating_point(drawn({}, seed=1))
    found = subgroups(given, point)
    assert list(found) == ["view"]  # one source alone is no subgroup
    assert [(each.value, each.units, each.patients) for each in found["view"]] == [("CC", 80, 40), ("MLO", 40, 20)]
    alone = given.at(given.facts["view"] == "CC")
    whole = cancer_measures(alone, point)
    first = found["view"][0]
    assert (first.auroc, first.auroc_ci, first.realised) == (whole.auroc, whole.auroc_ci, realised(point, alone))
    assert first.cancers == np.sum(alone.labels == 0)
    assert subgroups(given)["view"][0].realised is None


def test_ages_are_decades_in_their_order_and_those_of_which_it_is_not_told_last():
    given = drawn({"age": every(["9", "101", "", "47", "unknown", "40"]), "density": every(["b", "1", "a"])})
    found = subgroups(given)
    assert [each.value for each in found["age"]] == ["0 to 9", "40 to 49", "100 to 109", "unknown", "not told"]
    assert [each.value for each in found["density"]] == ["1", "a", "b"]
    for groups in found.values():
        assert sum(each.units for each in groups) == 120 and sum(each.cancers for each in groups) == 40


def test_few_patients_of_one_side_are_counted_only():
    given = drawn({"scanner": np.array(["many"] * 120)})
    cancers = np.flatnonzero(given.labels == 0)
    given.facts["scanner"][cancers[:FEWEST - 1]] = "few"
    given.facts["scanner"][given.labels == 1] = "few"
    few, many = subgroups(given)["scanner"]
    assert (few.value, few.cancers, few.cancer_patients) == ("few", FEWEST - 1, FEWEST - 1)
    assert few.auroc is None and few.auroc_ci is None and many.auroc is not None


def test_all_that_is_measured_of_cancer():
    given = drawn({})
    found = cancer_measures(given)
    arguments = given.probabilities[:, 0].astype(float), given.labels == 0, np.arange(120) // 2, 60
    assert found.auroc == area(*arguments).value and found.partial_auroc == partial_area(*arguments).value
    assert found.auroc_ci == pytest.approx(area(*arguments).interval)
    assert (found.units, found.patients, found.cancers) == (120, 60, 40)
    assert found.realised is None and found.subgroups == {}
