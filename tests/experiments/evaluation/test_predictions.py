"""predictions.csv: an exact round trip, and messages that name file and line."""
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from experiments.evaluation.predictions import ImagePredictions, predictions_of, read_predictions, write_predictions
from experiments.system.errors import Failure

HEADER = "split,name,patient,label,cancer,normal,benign\n"
ROW = "test,a.png,p1,benign,0.25,0.5,1.0\n"


def split_of(outputs, start=0, classes=("cancer", "normal", "benign")):
    n = len(outputs)
    names = np.array([f"{start + i}.png" for i in range(n)])
    return ImagePredictions(names, np.array([f"p{i // 2}" for i in range(n)]), np.arange(n) % len(classes),
                            outputs, classes)


def same(one, other):
    assert one.classes == other.classes
    for field in ("names", "patients", "labels", "probabilities"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    assert {name: values.tolist() for name, values in one.facts.items()} == {
        name: values.tolist() for name, values in other.facts.items()}


@settings(max_examples=100, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hnp.arrays(np.float32, (4, 3), elements=st.floats(0, 1, width=32, allow_subnormal=True)))
def test_the_same_bits_come_back(tmp_path, outputs):
    write_predictions(tmp_path / "predictions.csv", {"test": split_of(outputs)})
    back = read_predictions(tmp_path / "predictions.csv")["test"]
    assert back.probabilities.dtype == np.float32
    np.testing.assert_array_equal(back.probabilities.view(np.int32), outputs.view(np.int32))


def test_splits_classes_and_awkward_names_come_back(tmp_path):
    generator = np.random.default_rng(0)
    test = split_of(generator.random((5, 2), dtype=np.float32), 9, ("cancer", "benign"))
    test.names[:2] = 'a, "b"', "two\nlines"
    given = {"train": split_of(generator.random((3, 2), dtype=np.float32), 0, ("cancer", "benign")), "test": test}
    write_predictions(tmp_path / "predictions.csv", given)
    back = read_predictions(tmp_path / "predictions.csv")
    assert list(back) == ["train", "test"] and len(back["test"]) == 5
    for name, expected in given.items():
        same(back[name], expected)


def test_the_file_reads_like_a_table(tmp_path):
    write_predictions(tmp_path / "predictions.csv", {"test": split_of(np.array([[0.25, 0.5, 1]], np.float32))})
    assert (tmp_path / "predictions.csv").read_text() == HEADER + "test,0.png,p0,cancer,0.25,0.5,1.0\n"


def test_what_is_told_of_an_image_stands_behind_the_classes_and_comes_back(tmp_path):
    outputs = np.random.default_rng(0).random((3, 3), dtype=np.float32)
    test = replace(split_of(outputs), facts={
        "view": np.array(["CC", "", "MLO"]), "breast": np.array(["left", "right", ""]),
        "finding": np.array(['mass, "spiculated"', "=1+1", ""])})
    train = replace(split_of(outputs), facts={"source": np.array(["A", "B", "A"])})
    write_predictions(tmp_path / "predictions.csv", {"test": test, "train": train})
    header = (tmp_path / "predictions.csv").read_text().splitlines()[0]
    assert header == "split,name,patient,label,cancer,normal,benign,breast,source,view,finding"
    back = read_predictions(tmp_path / "predictions.csv")
    same(back["test"], replace(test, facts={name: test.facts[name] for name in ("breast", "view", "finding")}))
    same(back["train"], train)  # what is told of the other split alone is not told here
    assert back["test"].breasts.tolist() == ["left", "right", ""] and back["train"].breasts.tolist() == [""] * 3


def test_a_file_of_which_nothing_is_told_is_read_as_before(tmp_path):
    (tmp_path / "predictions.csv").write_text(HEADER + ROW)
    back = read_predictions(tmp_path / "predictions.csv")["test"]
    assert back.facts == {} and back.breasts.tolist() == [""]


def test_predictions_of_a_prepared_set_have_all_that_it_tells():
    prepared = SimpleNamespace(
        names=np.array(list("abc")), patients=np.array(list("pqr")), labels=np.array([0, 1, 2]),
        breasts=np.array(["left", "", ""]), sources=np.array(["S"] * 3), classes=("cancer", "normal", "benign"),
        facts={"view": np.array(["", "CC", ""]), "age": np.array(["50", "", "60"])})
    found = predictions_of(prepared, np.array([2, 0]), np.zeros((2, 3), np.float32))
    assert found.names.tolist() == ["c", "a"] and found.labels.tolist() == [2, 0]
    assert {name: values.tolist() for name, values in found.facts.items()} == {
        "breast": ["", "left"], "source": ["S", "S"], "age": ["60", "50"]}
    some = found.at(found.labels == 0)
    assert (some.names.tolist(), some.facts["age"].tolist(), len(some)) == (["a"], ["50"], 1)


@pytest.mark.parametrize(("text", "message"), [
    ("", r"line 1: expected the columns split,name,patient,label .* found nothing"),
    ("a,b\n1,2\n", "line 1: expected the columns"),
    ("split,name,patient,label,cancer\n", "at least two classes"),
    ("split,name,patient,label,cancer,cancer\n", "line 1"),
    (HEADER.replace("benign", "view,benign"), "line 1"),
    (HEADER.replace("benign", "benign,view,breast"), "line 1: expected the columns .* any of breast,source,view,den"),
    (HEADER.replace("benign", "benign,view") + ROW, "line 2: has 7 cells, expected 8"),
    (HEADER, "lists no images"),
    (HEADER + ROW + "test,b.png,p1,benign,0.25,0.5\n", "line 3: has 6 cells, expected 7"),
    (HEADER + "\n", "line 2: has 0 cells"),
    (HEADER + ROW + "test,b.png,p1,hybrid,0.25,0.5,1\n", "line 3: unknown label 'hybrid'"),
    (HEADER + ROW.replace("p1", ""), "line 2: the patient is empty"),
    (HEADER + ROW.replace("0.25", "nan"), "line 2: 'nan' is not a number from 0 to 1"),
    (HEADER + ROW.replace("0.25", "1.5"), "line 2: '1.5' is not"),
    (HEADER + ROW.replace("0.25", "much"), "line 2: 'much' is not"),
    (HEADER + ROW + ROW, r"line 3: image 'a\.png' of split 'test' is listed already"),
    (HEADER + 'test,"a', "cannot be read as a CSV file"),
    (HEADER + "\xff", "cannot be read as a CSV file"),
])
def test_malformed_files_are_named_with_their_line(tmp_path, text, message):
    (tmp_path / "predictions.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(Failure, match=message) as raised:
        read_predictions(tmp_path / "predictions.csv")
    assert str(raised.value).startswith(str(tmp_path / "predictions.csv"))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(Failure, match=r"predictions\.csv: there is no such file"):
        read_predictions(tmp_path / "predictions.csv")
    with pytest.raises(Failure, match="cannot be read"):
        read_predictions(tmp_path)
