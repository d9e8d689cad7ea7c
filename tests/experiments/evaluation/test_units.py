"""From images to breasts and patients: labels, outputs, facts and names, against what is worked out by hand."""
import numpy as np
import pytest

from experiments.evaluation import evaluate_predictions
from experiments.evaluation.aggregation import by_unit
from experiments.evaluation.predictions import ImagePredictions
from experiments.evaluation.unit import KINDS, OVER, Unit
from experiments.system.errors import Failure

CANCER, NORMAL, BENIGN = range(3)
MAXIMUM, MEAN = Unit("breast", "maximum"), Unit("breast", "mean")
#         patient, breast, label, cancer, normal, benign, view
ROWS = [("b", "right", NORMAL, 0.1, 0.9, 0.3, "CC"),
        ("a", "left", BENIGN, 0.2, 0.4, 0.8, "CC"),
        ("b", "right", BENIGN, 0.6, 0.2, 0.7, "MLO"),
        ("a", "right", NORMAL, 0.3, 0.7, 0.1, ""),
        ("b", "right", CANCER, 0.5, 0.5, 0.1, "MLO"),
        ("a", "right", NORMAL, 0.0, 0.6, 0.2, "CC")]


def images(rows=ROWS, classes=("cancer", "normal", "benign")):
    patients, breasts, labels, *outputs, views = zip(*rows, strict=True)
    return ImagePredictions(
        np.array([f"{place}.png" for place in range(len(rows))]), np.array(patients), np.array(labels),
        np.array(outputs, np.float32).T, classes, {"breast": np.array(breasts), "view": np.array(views)})


def test_an_image_stays_what_it_is():
    given = images()
    assert by_unit(given, Unit()) is given


def test_a_breast_has_the_label_of_its_worst_image_in_the_order_of_the_first_images():
    found = by_unit(images(), MAXIMUM)
    assert found.names.tolist() == ["b, right", "a, left", "a, right"] and found.patients.tolist() == ["b", "a", "a"]
    assert found.labels.tolist() == [CANCER, BENIGN, NORMAL]
    assert found.breasts.tolist() == ["right", "left", "right"] and found.unit == MAXIMUM
    assert by_unit(images(), Unit("patient", "mean")).labels.tolist() == [CANCER, BENIGN]


def test_the_outputs_are_the_largest_but_the_smallest_of_normal():
    found = by_unit(images(), MAXIMUM)
    np.testing.assert_array_equal(found.probabilities, np.array(
        [[0.6, 0.2, 0.7], [0.2, 0.4, 0.8], [0.3, 0.6, 0.2]], np.float32))
    assert found.probabilities.dtype == np.float32
    of_patients = by_unit(images(), Unit("patient", "maximum"))
    np.testing.assert_array_equal(of_patients.probabilities, np.array([[0.6, 0.2, 0.7], [0.3, 0.4, 0.8]], np.float32))


def test_of_two_classes_the_milder_one_takes_the_smallest():
    rows = [("a", "left", 0, 0.2, 0.9, "CC"), ("a", "left", 1, 0.7, 0.4, "MLO")]
    found = by_unit(images(rows, ("cancer", "benign")), MAXIMUM)
    np.testing.assert_array_equal(found.probabilities, np.array([[0.7, 0.4]], np.float32))
    assert found.labels.tolist() == [0]


def test_the_outputs_are_the_means():
    found = by_unit(images(), MEAN)
    np.testing.assert_allclose(found.probabilities, [[0.4, 1.6 / 3, 1.1 / 3], [0.2, 0.4, 0.8], [0.15, 0.65, 0.15]],
                               rtol=1e-6)


def test_facts_are_kept_where_the_images_agree():
    assert by_unit(images(), MAXIMUM).facts["view"].tolist() == ["mixed", "CC", "CC"]
    assert by_unit(images(), Unit("patient", "mean")).facts["breast"].tolist() == ["right", "mixed"]


def test_the_order_of_the_images_changes_nothing_but_the_order_of_the_units():
    order = np.random.default_rng(0).permutation(len(ROWS))
    for unit in (MAXIMUM, MEAN, Unit("patient", "maximum")):
        one, other = by_unit(images(), unit), by_unit(images().at(order), unit)
        again = other.at([other.names.tolist().index(name) for name in one.names.tolist()])
        np.testing.assert_array_equal(one.labels, again.labels)
        np.testing.assert_allclose(one.probabilities, again.probabilities, rtol=1e-6)
        assert one.facts["view"].tolist() == again.facts["view"].tolist()


def test_breasts_that_are_not_known_are_refused_and_patients_are_not():
    given = images()
    given.facts["breast"][[1, 3]] = ""
    with pytest.raises(Failure, match=r"of 2 of the 6 images it is not known which breast they show, 1\.png among"):
        by_unit(given, MAXIMUM)
    without = ImagePredictions(given.names, given.patients, given.labels, given.probabilities)
    with pytest.raises(Failure, match="of 6 of the 6 images"):
        by_unit(without, MEAN)
    assert len(by_unit(without, Unit("patient", "mean"))) == 2


def test_units_of_units_and_units_without_a_way_are_wrong():
    with pytest.raises(ValueError, match="of breasts already"):
        by_unit(by_unit(images(), MEAN), Unit("patient", "mean"))
    for kind in KINDS:
        for over in (None, *OVER):
            if (over is None) == (kind == "image"):
                assert Unit(kind, over).plural == f"{kind}s"
            else:
                with pytest.raises(ValueError, match=f"unit {kind}, over {over}"):
                    Unit(kind, over)


def test_a_caption_says_what_is_counted():
    assert Unit().counted(44, 22) == "44 images of 22 patients"
    assert MAXIMUM.counted(30, 22) == "30 breasts of 22 patients (maximum over their images)"
    assert Unit("patient", "mean").counted(22, 22) == "22 patients (mean over their images)"
    assert Unit("patient", "mean").counted(22, 22, how=False) == "22 patients"
    assert evaluate_predictions(by_unit(images(), MEAN)).unit == MEAN
